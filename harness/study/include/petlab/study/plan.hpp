#pragma once

#include "petlab/engine/run_spec.hpp"
#include "petlab/engine/split_manifest.hpp"
#include "petlab/results/record.hpp"
#include "petlab/study/identity.hpp"
#include "petlab/study/plugin_loader.hpp"
#include "petlab/study/protocol.hpp"
#include "petlab/study/train_sizes.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace petlab::study {

/// What the files that a study names hold, as hashes; measured once for all runs.
struct StudyFacts {
  std::string dataset_fingerprint;  ///< datasets::dataset_hash()
  std::map<SplitOf, std::string> split_hashes;
  std::string backbone_weights;
  std::string backbone_settings;
  std::string torch_version;
  std::map<SplitOf, std::int64_t> train_images = {};  ///< of all tasks
  std::string class_names_hash = {};                  ///< datasets::Dataset's
  std::string class_names = {};  ///< those that prompts hold, where a file says them
  std::map<SplitOf, std::vector<std::string>> notes = {};  ///< engine::study_notes()
  std::string all_classes = {};  ///< of a study on a part of the classes: the whole's fingerprint
};

/// One run of a study with everything that a worker needs.
struct Job {
  engine::RunSpec spec;
  results::RunIdentity identity;
  std::string plugin;  ///< of the method
  std::string plugin_version;
  std::vector<std::filesystem::path> plugin_files;  ///< of the method and the grouping
  results::NamedValues environment;                 ///< what only the host knows of the run
  engine::SplitManifest manifest = {};              ///< set by prepare_data()
};

struct Plan {
  results::StudyRecord study;                    ///< all runs, for the store
  std::vector<Job> jobs;                         ///< all runs: rows in order, sizes, then seeds
  std::map<SplitOf, std::int64_t> train_images;  ///< of all tasks
  std::vector<std::string> notes = {};           ///< about data set and splits, each once
  /// Labels of rows without the tests that the study asks for beside the runs' own (follow_up.hpp).
  std::set<std::string> bound_to_classes = {};
};

/// Where runs keep caches and how they compute; decides no result.
struct ExecutionOptions {
  std::filesystem::path cache_dir;
  int threads = 1;
  double checkpoint_seconds = 60.0;
  bool feature_store = true;
  bool keep_adapters = true;
};

/// The specs of all runs of a study, rows in order, then training sizes where it has several
/// (results::train_size_label() labels them), then seeds; options complete, training filled
/// from the protocol, the row and the method's publication. A method with the trait kBaseline
/// trains on nothing and is planned once, beside the largest size. Whatever can be seen to be wrong
/// before a run is refused here: Error(config) naming the row's line for an unknown method or
/// grouping (with a suggestion), an unknown option or bad value, a sharing that the method cannot
/// have.
[[nodiscard]] std::vector<engine::RunSpec> expand(const Protocol& protocol,
                                                  const PluginRegistry& plugins,
                                                  const ExecutionOptions& execution);

/// Specs with their identities, as a plan.
[[nodiscard]] Plan make_plan(const Protocol& protocol, const std::vector<engine::RunSpec>& specs,
                             const PluginRegistry& plugins, const StudyFacts& facts);

/// The resolved protocol as text in the form of a protocol file.
[[nodiscard]] std::string protocol_text(const Protocol& protocol,
                                        const std::vector<engine::RunSpec>& specs);

}  // namespace petlab::study
