#include "search_rungs.hpp"

#include "petlab/engine/run_spec.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::study {

std::int64_t length_of(const engine::Training& training) {
  return training.steps > 0 ? training.steps : training.epochs;
}

void shorten(engine::Training& training, std::int64_t length) {
  std::int64_t& whole = training.steps > 0 ? training.steps : training.epochs;
  training.warmup_epochs = training.warmup_epochs * length / whole;
  whole = length;
}

std::vector<Rung> plan_rungs(std::size_t candidates, const SearchSpec& spec, std::int64_t whole) {
  const auto factor = static_cast<std::size_t>(spec.reduction_factor);
  std::vector<std::size_t> sizes;
  for (std::size_t size = candidates; size > 1; size = (size + factor - 1) / factor)
    sizes.push_back(size);
  // Of a rung, in whole trainings. A budget of 1/3 is no binary number: what is a hair below an
  // integer is one.
  constexpr double kHair = 1e-9;
  const double share =
      spec.budget * static_cast<double>(candidates) / static_cast<double>(sizes.size());
  std::vector<Rung> rungs;
  for (const std::size_t size : sizes) {
    const double length = share * static_cast<double>(whole) / static_cast<double>(size) + kHair;
    const std::int64_t epochs = length >= static_cast<double>(whole)
                                    ? whole
                                    : std::max<std::int64_t>(1, std::llround(std::floor(length)));
    if (rungs.empty() || epochs > rungs.back().length) rungs.push_back({size, epochs});
  }
  return rungs;
}

}  // namespace petlab::study
