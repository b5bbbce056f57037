#include "petlab/results/verification.hpp"

#include "petlab/base/error.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace petlab::results {
namespace {

// From the strongest to the weakest.
constexpr std::array<std::string_view, 3> kLevels = {"bit-equal", "same-kernel", "statistical"};

std::string cpu_level(const RunRecord& run) {
  for (const auto& [name, value] : run.environment)
    if (name == environment::kCpuLevel) return value;
  return "";
}

}  // namespace

VerificationRecord compare_repeat(const RunRecord& run, const RunRecord& repeat) {
  if (run.identity.hash != repeat.identity.hash || run.status != RunStatus::done ||
      repeat.status != RunStatus::done || run.tasks.size() != repeat.tasks.size()) {
    throw base::Error(base::ErrorKind::internal, "a run was compared with what is no repeat of it");
  }
  VerificationRecord result;
  result.identity = run.identity.hash;
  result.time = repeat.finished;
  result.trained_hash = repeat.trained_hash;
  result.environment = repeat.environment;
  bool same_bits = run.trained_hash == repeat.trained_hash;
  for (std::size_t t = 0; t < run.tasks.size(); ++t) {
    const TaskResult& a = run.tasks[t];
    const TaskResult& b = repeat.tasks[t];
    same_bits = same_bits && a.loss == b.loss;
    const std::size_t n = std::min(a.predictions.size(), b.predictions.size());
    for (std::size_t i = 0; i < n; ++i) {
      ++result.predictions;
      if (a.predictions[i].predicted != b.predictions[i].predicted) ++result.changed_predictions;
      same_bits = same_bits && a.predictions[i].probability == b.predictions[i].probability;
    }
  }
  result.level = result.changed_predictions > 0 ? kLevels[2] : same_bits ? kLevels[0] : kLevels[1];
  return result;
}

std::string claim_for_repeat(const RunRecord& run, const RunRecord& repeat) {
  return cpu_level(run) == cpu_level(repeat) ? run.determinism : std::string(kLevels.back());
}

bool keeps(const std::string& reached, const std::string& claimed) {
  const auto rank = [](const std::string& level) {
    return std::find(kLevels.begin(), kLevels.end(), level) - kLevels.begin();
  };
  return rank(reached) <= rank(claimed);
}

}  // namespace petlab::results
