#pragma once

#include "petlab/study/collect.hpp"
#include "petlab/study/pending_runs.hpp"
#include "petlab/study/submission.hpp"
#include "study_stages.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What `submit`, `run --executor slurm` and `cancel` share.
namespace petlab::app {

/// Adds the options of a command that submits: --cluster, --minutes, --at-once.
void add_cluster_options(po::options_description& options);

/// What they say, with the settings of the cluster.
struct ClusterChoice {
  study::ClusterSettings settings;
  double minutes = 0.0;
  std::optional<int> at_once;
};
[[nodiscard]] ClusterChoice cluster_choice(const Parsed& options);

/// Keys of --cluster, one a line, for a help text.
[[nodiscard]] std::string cluster_key_help();

/// Runs of studies that share a store, on their way to a scheduler.
class ClusterStudies {
 public:
  /// `studies`, which are at least one, and `choice` must outlive it. `writes`: makes the store
  /// where there is none, and puts the plans into it.
  ClusterStudies(const std::vector<PreparedStudy>& studies, const ClusterChoice& choice,
                 const Parsed& options, bool writes = true);

  [[nodiscard]] const std::filesystem::path& store() const { return studies_.front().store; }
  [[nodiscard]] const PreparedStudy& first() const { return studies_.front(); }

  /// What the store lacks; a failure that was there at the first call is tried again as --retry
  /// says, a later one is not.
  [[nodiscard]] study::PendingRuns pending();

  /// Orders for the runs: pictures and splits are prepared, the folder is written, nothing is
  /// submitted.
  [[nodiscard]] study::OrderFolder write(std::vector<study::Job> jobs) const;
  /// The runs as tasks of a scheduler.
  [[nodiscard]] std::vector<std::vector<std::size_t>> tasks(
      const std::vector<study::Job>& jobs) const;

  [[nodiscard]] study::SubmitOptions submit_options() const;

 private:
  const std::vector<PreparedStudy>& studies_;
  const ClusterChoice& choice_;
  study::RetryChoice retry_;
  std::vector<study::Job> jobs_;
  std::map<std::string, std::string> retried_;  ///< failures that --retry includes: when they were
  bool is_first_ = true;
};

/// Says what was collected (print_merge()); false when something was unusable or differs.
bool print_collected(const study::Collected& collected, const std::filesystem::path& store);

/// What `run_missing` does, by jobs of Slurm: submits, collects, submits again what is gone without
/// a result, until nothing is left. The result is the program's exit code. Throws
/// study::SchedulerError when Slurm cannot be reached before anything is submitted.
[[nodiscard]] int run_on_cluster(const std::vector<PreparedStudy>& studies, const Parsed& options);
/// Adds --executor, --attempts and --poll.
void add_executor_options(po::options_description& options);

}  // namespace petlab::app
