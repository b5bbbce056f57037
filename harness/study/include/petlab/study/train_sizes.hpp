#pragma once

#include "petlab/engine/run_spec.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace petlab::study {

/// Which split of a study: its seed and, of a study with several training sizes, the size's text.
struct SplitOf {
  // A seed alone is the split of a study with one size.
  SplitOf(std::uint64_t seed_of, std::string size_of = {})
      : seed(seed_of), size(std::move(size_of)) {}

  std::uint64_t seed;
  std::string size;

  auto operator<=>(const SplitOf&) const = default;
};

/// One training size of a study.
struct TrainSize {
  std::string text;             ///< "4", "0.1"; "" where the study has one
  engine::DatasetSpec dataset;  ///< of the runs of this size
};

/// The training sizes of a study in its order: at least one.
[[nodiscard]] std::vector<TrainSize> train_sizes(const engine::DatasetSpec& study);

/// The largest of several, which decides what tests; 0 where the study has one.
[[nodiscard]] double largest_train_size(const engine::DatasetSpec& study);

}  // namespace petlab::study
