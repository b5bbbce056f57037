#pragma once

#include "petlab/results/run_store.hpp"
#include "petlab/study/plan.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace petlab::study {

/// Which failed runs are tried again.
struct RetryChoice {
  bool all = false;
  std::vector<std::string> kinds = {};  ///< of errors: "device", "numeric", ...

  [[nodiscard]] bool includes(const std::string& error_kind) const;
};

/// "failed" (all), or kinds of errors with commas between them: "device,numeric". Throws
/// Error(config) with a suggestion for another word.
[[nodiscard]] RetryChoice parse_retry(const std::string& text);

/// What a store says is left of some jobs.
struct PendingRuns {
  std::vector<Job> jobs;                       ///< to do, in the order given
  std::map<std::string, std::string> retried;  ///< of those: RunnerOptions::retried
  std::size_t done = 0;
  std::size_t failed = 0;  ///< failed before, and left as they are
};

/// Runs that are not in the store, and those failed ones that `retry` includes.
[[nodiscard]] PendingRuns choose_jobs(const std::vector<Job>& wanted,
                                      const results::RunStore& store, const RetryChoice& retry);

}  // namespace petlab::study
