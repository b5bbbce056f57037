#include "petlab/study/train_sizes.hpp"

#include "petlab/base/numbers.hpp"

#include <algorithm>

namespace petlab::study {
namespace {

/// A size for each of the values of `size`.
template <class Value>
std::vector<TrainSize> sizes_of(const engine::DatasetSpec& study, const std::vector<Value>& values,
                                Value engine::DatasetSpec::* size) {
  std::vector<TrainSize> sizes;
  for (const Value value : values) {
    TrainSize& one = sizes.emplace_back(TrainSize{base::number_text(value), study});
    one.dataset.*size = value;
    one.dataset.train_fractions.clear();
    one.dataset.train_shot_counts.clear();
  }
  return sizes;
}

}  // namespace

std::vector<TrainSize> train_sizes(const engine::DatasetSpec& study) {
  std::vector<TrainSize> sizes;
  if (study.split == "percent")
    sizes = sizes_of(study, study.train_fractions, &engine::DatasetSpec::train_fraction);
  if (study.split == "shots")
    sizes = sizes_of(study, study.train_shot_counts, &engine::DatasetSpec::train_shots);
  if (!sizes.empty()) return sizes;
  TrainSize one{"", study};
  one.dataset.train_fractions.clear();
  one.dataset.train_shot_counts.clear();
  return {one};
}

double largest_train_size(const engine::DatasetSpec& study) {
  double largest = 0.0;
  if (study.split == "percent")
    for (const double share : study.train_fractions)
      largest = std::max(largest, share);
  if (study.split == "shots")
    for (const std::int64_t shots : study.train_shot_counts)
      largest = std::max(largest, static_cast<double>(shots));
  return largest;
}

}  // namespace petlab::study
