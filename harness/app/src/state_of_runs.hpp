#pragma once

#include "json_output.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/expected_cost.hpp"
#include "petlab/study/submission.hpp"
#include "study_command.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace petlab::clip {
class Backbone;
}  // namespace petlab::clip
namespace petlab::engine {
struct Task;
}  // namespace petlab::engine

namespace petlab::app {

/// What is known of one run.
struct RunLine {
  std::string state = "missing";
  std::optional<study::RunCost> cost;  ///< measured, or expected
  std::int64_t estimated_bytes = 0;    ///< from shapes; 0 for a run that is done, or on a GPU
  std::string remark;
  std::optional<results::Lease> lease = {};  ///< of a run that a process computes
};

/// How many runs are in a state, of those that were asked for.
struct RunCounts {
  std::size_t done = 0, failed = 0, running = 0, queued = 0, missing = 0;
  std::size_t unknown = 0;    ///< of those that are left: without an expectation
  double seconds_left = 0.0;  ///< of the others, one after the other
};

/// "512 MiB", "1.5 GiB".
[[nodiscard]] std::string bytes_text(std::int64_t bytes);

/// By identity.
using QueuedRuns = std::map<std::string, study::QueuedRun>;

/// What a cluster knows of the runs of a store. `trouble`: why it does not say.
[[nodiscard]] QueuedRuns runs_of_cluster(const std::filesystem::path& store, std::string& trouble);

/// What a store, and a cluster, know of the runs of a study. All arguments must outlive it.
class StateOfRuns {
 public:
  /// `store`: nullptr where there is none yet.
  StateOfRuns(const PreparedStudy& study, const results::RunStore* store,
              const study::PluginRegistry& plugins, const QueuedRuns& cluster);
  ~StateOfRuns();
  StateOfRuns(const StateOfRuns&) = delete;
  StateOfRuns& operator=(const StateOfRuns&) = delete;

  /// The state of a run, which then counts in the sum.
  [[nodiscard]] RunLine line(const study::Job& job);

  /// The same without what files and shapes say of it: adapters, checkpoint, memory.
  [[nodiscard]] RunLine state(const study::Job& job);
  [[nodiscard]] const RunCounts& counts() const { return counts_; }

  /// Where the runs at once are expected to want more memory than there is: a sentence; else "".
  [[nodiscard]] std::string memory_warning() const;

  /// Counts of the states, and what is expected for the runs that are left.
  [[nodiscard]] Json sum_json() const;
  void print_sum() const;

 private:
  /// A run that was submitted.
  void take_from_cluster(const study::QueuedRun& run, RunLine& line);
  /// Seeds of a row need the same.
  std::int64_t estimate(const engine::RunSpec& spec);

  const PreparedStudy& study_;
  const results::RunStore* store_;  ///< nullptr: none yet
  const study::PluginRegistry& plugins_;
  const QueuedRuns& cluster_;
  std::shared_ptr<const clip::Backbone> backbone_;
  std::vector<engine::Task> tasks_;
  std::map<std::string, std::int64_t> estimates_;  ///< by row
  std::int64_t largest_ = 0;                       ///< of runs that are not done
  study::ExpectedCosts costs_;
  std::map<std::string, results::Lease> leases_;  ///< of running runs, by identity
  RunCounts counts_;
  std::size_t without_adapters_ = 0;  ///< of those that are done
};

}  // namespace petlab::app
