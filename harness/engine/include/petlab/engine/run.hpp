#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/engine/image_features.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/rank_group.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/results/record.hpp"
#include "petlab/sdk/grouping.hpp"
#include "petlab/sdk/method.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace petlab::engine {

/// Where a run keeps its state while it trains, to go on from there when its process is ended.
struct CheckpointPlace {
  std::filesystem::path file;  ///< "" for none
  /// Seconds of training between two checkpoints; 0 for one after each step. Where writing takes
  /// more than a twentieth of that, checkpoints become rarer.
  double every_seconds = 60.0;
  bool is_written = true;  ///< false: only read, in a process that another one writes it for
};

/// Where a finished run keeps its adapters.
struct AdapterPlace {
  std::filesystem::path file = {};  ///< "": they are not kept
  /// Calls the function that it is given, which writes the file: once, or again where it failed for
  /// a reason that passes. Unset: once.
  std::function<void(const std::function<void()>& write)> write_when_possible = {};
};

/// What is known of a run before anything is loaded. Goes into its record, failed or done.
struct RunInfo {
  results::RunIdentity identity;
  std::string plugin;
  std::string plugin_version;
  results::NamedValues environment;  ///< what only the host knows: "sources", "petlab_version"
  CheckpointPlace checkpoint = {};
  AdapterPlace adapters = {};
};

/// What a run works on.
struct RunInputs {
  const sdk::MethodEntry* method = nullptr;
  const sdk::GroupingEntry* grouping = nullptr;    ///< set exactly when the sharing has groups
  std::shared_ptr<const clip::Backbone> backbone;  ///< on the device of the run
  std::string backbone_hash = {};  ///< its weight_hash(), if it was computed; else "": it will be
  std::vector<Task> tasks;         ///< in the study's order
  std::string split_hash;
  std::string dataset_hash = {};    ///< its fingerprint
  std::string method_licence = {};  ///< SPDX identifier of the method's plugin
  /// Image features of the untouched tower are kept there, and shared by runs; absent: computed
  /// where they are needed. With it, the tasks' training and test images are rows of the same
  /// pictures.
  std::optional<FeatureStorePlace> features = {};
  /// The processes that compute the run together; null: this one alone. All of them call
  /// execute_run() with the same spec and inputs, and have the same record in the end but for costs
  /// and environment. What a rank other than 0 returns is not for a store.
  std::shared_ptr<RankGroup> ranks = {};
  /// Reads the test images and labels, one a task. Called once, after the last training step: until
  /// then they are nowhere in this process.
  std::function<std::vector<LabelledImages>()> load_test;
};

/// Trains and evaluates one run. Throws what goes wrong; callers want run_guarded().
[[nodiscard]] results::RunRecord execute_run(const RunSpec& spec, const RunInfo& info,
                                             const RunInputs& inputs, Progress& progress);

/// The one place that lets plugins work: calls `prepare`, then execute_run(), and turns whatever is
/// thrown into a failed record with the kind of error and one sentence that names the method and
/// the phase. What was measured before the failure (epochs, costs) is kept.
[[nodiscard]] results::RunRecord run_guarded(const RunSpec& spec, const RunInfo& info,
                                             const std::function<RunInputs()>& prepare,
                                             Progress& progress);

/// Throws Error(config) with one sentence when the method cannot be used with the sharing: composed
/// sharings need a method whose changes can be composed. For the plan, before anything runs.
void check_sharing(const sdk::MethodEntry& method, Sharing sharing);

/// True for `grouped` and `grouped+specific`.
[[nodiscard]] bool has_groups(Sharing sharing);

/// What a run's record keeps of its settings: what was equal for all methods of the study, by keys
/// of setting_table(), beside the names of data set and backbone; and the method's own options with
/// how it is trained, and those of the grouping.
[[nodiscard]] results::NamedValues record_protocol(const RunSpec& spec);
[[nodiscard]] results::NamedValues record_options(const RunSpec& spec);

/// "cpu" or "cuda" as a device. Throws Error(device) for cuda where there is none, Error(config)
/// for another name.
[[nodiscard]] c10::Device parse_device(const std::string& name);

}  // namespace petlab::engine
