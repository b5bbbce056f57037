#pragma once

#include "petlab/results/run_store.hpp"
#include "petlab/study/search.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace petlab::study {

/// What the trials of a row came to.
struct RowResult {
  std::int64_t trials = 0;          ///< 0 where the row is not searched
  std::int64_t added = 0;           ///< of them, beyond the grid
  bool missing = false;             ///< some were not run yet
  std::optional<std::size_t> best;  ///< of search.trials; nothing where none worked
  double accuracy = 0.0;            ///< of the best: mean over tasks, then over seeds
  double standard_error = 0.0;      ///< as in results::SearchRecord
  std::vector<std::pair<std::string, std::int64_t>> images = {};  ///< likewise
};

/// Of row `row` of the study that is searched. `trials` is the plan of search.protocol; without a
/// store nothing was run yet.
[[nodiscard]] RowResult row_result(const Search& search, std::size_t row, const Plan& trials,
                                   const results::RunStore* store);

/// The trials of the row that worked, of search.trials, the best first, of equal ones the first;
/// none while some were not run yet. As above.
[[nodiscard]] std::vector<std::size_t> ranked_trials(const Search& search, std::size_t row,
                                                     const Plan& trials,
                                                     const results::RunStore* store);

}  // namespace petlab::study
