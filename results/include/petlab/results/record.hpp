#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// Plain data that goes into and comes out of the store. Nothing here computes; run_store.hpp says
/// what is checked when a record is written.
namespace petlab::results {

/// (name, value) pairs: options, identity parts, environment, protocol. Names are unique in a list.
using NamedValues = std::vector<std::pair<std::string, std::string>>;

/// Groups of task names. Every task of the study is in exactly one group.
using Partition = std::vector<std::vector<std::string>>;

// ---------------------------------------------------------------------------------- data sets

struct DatasetRecord {
  std::string name;     // "icon-home"
  std::string version;  // "1"; "" when the data set has none (a user's own folder)
  std::string hash;     // hex digest over the data set's samples and labels
};

struct TestImage {
  std::string sample_id;  // unique in the task, e.g. "line/bed/tabler:bed"
  std::int64_t label;     // index into TaskSplit::classes

  friend bool operator==(const TestImage&, const TestImage&) = default;
};

struct TaskSplit {
  std::string task;                  // the domain's name
  std::vector<std::string> classes;  // in label order
  std::int64_t n_train = 0;
  std::vector<TestImage> test;  // in split order: predictions are stored in this order

  friend bool operator==(const TaskSplit&, const TaskSplit&) = default;
};

/// Which images train and which test. One row a split, shared by all runs that use it.
struct SplitRecord {
  std::string hash;  // hex digest over the lists; with the data set's the key that runs name
  DatasetRecord dataset;
  std::string name;       // "10%", "mrn-20"
  double fraction = 0.0;  // share of each domain that trains, 0 to 1
  std::uint64_t seed = 0;
  std::vector<TaskSplit> tasks;  // in the study's task order
};

// ------------------------------------------------------------------------------------- a study

/// One planned run: a row of the study's table with one seed.
struct PlannedRun {
  std::string hash;            // RunIdentity::hash
  std::int64_t row_index = 0;  // place of the row in the study file, from 0
  std::string row_label;       // "mmap-grouped"; one label a row index
  std::uint64_t seed = 0;
  std::string method;    // "mmap"
  std::string sharing;   // "per-task", "joint", "grouped", "grouped+specific", "joint+specific"
  std::string grouping;  // grouping strategy, "" where the sharing has no groups

  friend bool operator==(const PlannedRun&, const PlannedRun&) = default;
};

/// Values of SearchRecord::scored_on.
namespace scored_on {
inline constexpr const char* kHeldOut = "held-out";         // of the training images
inline constexpr const char* kDevelopment = "development";  // images that no run trains or tests on
}  // namespace scored_on

/// Values in SearchRecord::edges.
namespace search_edge {
inline constexpr const char* kLowest = "lowest";
inline constexpr const char* kHighest = "highest";
}  // namespace search_edge

/// How the settings of a row were chosen: by trials, the same number for every row of the study
/// unless some were added beyond the edge of a grid.
struct SearchRecord {
  std::int64_t row_index = 0;     // of the study's plan
  std::string strategy;           // "grid", "random"
  std::int64_t trials = 0;        // settings that were tried
  std::int64_t added_trials = 0;  // of them, beyond the edge of the grid
  std::int64_t trial_runs = 0;    // runs that it took: trials times seeds of the search
  std::string study;              // the study that holds the trials' runs
  NamedValues chosen;             // e.g. {"learning-rate", "0.02"}
  NamedValues edges = {};  // chosen numbers at an end of a grid: {"learning-rate", "highest"}
  double validation_accuracy = 0.0;  // of the chosen settings, mean over tasks and seeds, 0 to 1
  std::string scored_on = scored_on::kHeldOut;
  /// Tasks with their numbers of different images that scored the chosen trial, in the split's
  /// order; empty where an older petlab did not say.
  std::vector<std::pair<std::string, std::int64_t>> images = {};
  /// Of validation_accuracy, as so many images imply it: with share p right of n images a task, the
  /// square root of the sum of p (1 - p) / n over the number of tasks. Absent without images.
  std::optional<double> standard_error = {};

  friend bool operator==(const SearchRecord&, const SearchRecord&) = default;
};

/// A protocol file with its rows, expanded. It is the whole plan, whatever part of it has been run:
/// reports find missing runs by it.
struct StudyRecord {
  std::string name;
  std::string protocol;  // the resolved protocol, as text
  std::vector<PlannedRun> plan;
  std::vector<SearchRecord> searches = {};  // at most one a row; empty without a search
};

// --------------------------------------------------------------------------------------- a run

enum class RunStatus { done, failed };

/// What decides the result of a run. Make it with make_identity() of identity.hpp.
struct RunIdentity {
  std::string hash;   // SHA-256 of the canonical form of the parts, 64 hex digits
  NamedValues parts;  // sorted by name
};

/// Parameters of one adapter (or of the frozen backbone). Scopes: "shared" (one adapter for all
/// tasks), "group", "task", "frozen". Trainable parameters of a run are the sum over all rows.
struct ParameterCount {
  std::string scope;
  std::string owner;  // name of the group or task; "" for shared; "backbone" for frozen
  std::int64_t trainable = 0;
  std::int64_t stored_bytes = 0;  // what has to be kept to use the adapter later
};

/// Phases: "setup", "warm-up", "train", "evaluate", in the order in which they ran; one may occur
/// several times.
struct PhaseCost {
  std::string phase;
  double seconds = 0.0;
  std::int64_t images = 0;  // images that went through a tower in this phase
  std::int64_t peak_host_bytes = 0;
  std::optional<std::int64_t> peak_device_bytes;  // absent on CPU
  std::optional<double> flops;                    // absent where not counted
};

struct EpochRecord {
  std::int64_t epoch = 0;  // from 0
  double loss = 0.0;       // mean training loss of the epoch
  double learning_rate = 0.0;
  double seconds = 0.0;
  std::string phase = "train";  // "warm-up" for epochs before a grouping is known
  std::int64_t steps = 0;       // optimizer steps of the epoch
  std::int64_t images = 0;      // training images seen in it, each as often as it was
};

/// What the model said about one test image.
struct ImagePrediction {
  std::int64_t predicted = 0;  // class index, 0 to 65535
  double probability = 0.0;    // of that class, 0 to 1; stored in steps of 1/65535
};

struct TaskResult {
  std::string task;
  std::int64_t n_train = 0;
  std::int64_t n_test = 0;
  std::int64_t n_correct = 0;
  double loss = 0.0;                         // mean cross-entropy over the test images
  std::vector<ImagePrediction> predictions;  // n_test of them, in the split's order

  /// Fraction of test images classified correctly, 0 to 1; 0 where there are none.
  double accuracy() const {
    return n_test > 0 ? static_cast<double>(n_correct) / static_cast<double>(n_test) : 0.0;
  }
};

struct ScoredPartition {
  Partition partition;
  double score = 0.0;
};

/// How the tasks were grouped in one run.
struct GroupingRecord {
  std::string strategy;            // "gradient", "random", "all-in-one"
  std::vector<std::string> tasks;  // T names: rows and columns of the affinity matrix
  std::vector<double> affinity;    // [T, T] row-major; empty where the strategy has none
  Partition partition;
  double score = 0.0;
  std::vector<ScoredPartition> runners_up;  // best first, without the chosen one
  double seconds = 0.0;
};

/// Names that reports look for in RunRecord::environment. Others are stored and shown as they are.
namespace environment {
inline constexpr const char* kDevice = "device";                 // "cpu", "NVIDIA H200"
inline constexpr const char* kCpu = "cpu";                       // model name of the processor
inline constexpr const char* kCpuLevel = "cpu_level";            // instruction sets in use: "avx2"
inline constexpr const char* kThreads = "threads";               // "2"
inline constexpr const char* kPetlabVersion = "petlab_version";  // "0.1.0"
inline constexpr const char* kTorchVersion = "torch_version";    // "2.13.0+cpu"
inline constexpr const char* kCutTexts =
    "cut_class_texts";  // a sentence; absent where none was cut
inline constexpr const char* kFeatureStore =
    "feature_store";  // "3549 images read, 0 computed"; absent where no image feature was kept
inline constexpr const char* kDataNotes =
    "data_notes";  // sentences about data set and split, a line each; absent where there are none
inline constexpr const char* kClassNames =
    "class_names";  // "names.csv: tench, goldfish"; absent where classes are called as their
                    // folders
inline constexpr const char* kTestedAs =
    "tested_as";  // of an evaluation: the task whose adapters classify all of its domains; absent
                  // where each task has its own
inline constexpr const char* kTransfer =
    "transfer";  // of an evaluation on another data set: the name that the study has for it
inline constexpr const char* kAllClasses =
    "dataset_all_classes";  // of a run on a part of the classes of a data set: the fingerprint of
                            // all of it, which the parts have in common
inline constexpr const char* kSources = "sources";  // "clean", "dirty", "unknown"
}  // namespace environment

/// Values of RunRecord::method_trait that reports know.
namespace method_trait {
inline constexpr const char* kBaseline = "baseline";  // the backbone as it is: nothing is adapted
}  // namespace method_trait

/// Values of RunRecord::kind.
namespace run_kind {
inline constexpr const char* kTraining = "training";
inline constexpr const char* kEvaluation =
    "evaluation";  // of another run's adapters; trains nothing
}  // namespace run_kind

/// One method under one protocol with one sharing and one seed.
struct RunRecord {
  RunIdentity identity;

  std::string kind = run_kind::kTraining;
  std::optional<std::string> parent = {};  // an evaluation's: identity of the run that trained

  std::string method;
  /// What the method says that it is: a value of method_trait, or "" for none of them. Nothing
  /// where it was not asked.
  std::optional<std::string> method_trait = {};
  std::string plugin;          // name of the plugin that holds the method
  std::string plugin_version;  //
  std::string sharing;
  std::string grouping_strategy;  // "" where the sharing has no groups
  std::uint64_t seed = 0;
  NamedValues options;   // the method's options, resolved
  NamedValues protocol;  // everything that was equal for all methods, resolved

  std::string backbone;  // name of the backbone
  std::int64_t total_backbone_parameters = 0;
  std::string precision;   // "float32"
  std::string split_hash;  // a registered split; may be "" only in a failed run
  // Of the split's data set: two data sets may have splits of one hash. "" where the store has one.
  std::string dataset_hash = {};

  RunStatus status = RunStatus::done;
  std::string error_kind;  // failed runs: kind and one sentence; done runs: both empty
  std::string error;

  std::vector<ParameterCount> parameters;
  std::vector<PhaseCost> costs;
  std::vector<EpochRecord> epochs;
  std::vector<TaskResult> tasks;  // one a task of the split in a done run
  std::optional<GroupingRecord> grouping;
  NamedValues environment;

  std::string started;  // UTC, ISO 8601 with Z: utc_now() of identity.hpp
  std::string finished;
  std::string frozen_hash_before;  // digest of the frozen weights before and after training
  std::string frozen_hash_after;
  std::string trained_hash;           // digest of the trained parameters; "" where there are none
  std::int64_t test_evaluations = 0;  // how often test labels were looked at: 1 in an honest run
  std::string determinism;            // "bit-equal", "same-kernel", "statistical", "" unknown
  std::int64_t resumed = 0;           // how often it went on from a checkpoint
  std::string adapters_hash = {};     // SHA-256 of the file of its adapters (adapter_files.hpp)
  std::int64_t adapters_bytes = 0;    // size of the file; "" and 0 where none was kept

  // Floating-point operations (a multiplication and an addition are two), counted while they ran;
  // absent where nothing was counted.
  std::optional<double> step_flops;   // of the first training step, forward and backward
  std::optional<double> image_flops;  // of one test image, class features left out

  /// Of a finished run: mean of its tasks' accuracies, each task counting the same. 0 without
  /// tasks.
  double mean_accuracy() const {
    double sum = 0.0;
    for (const TaskResult& task : tasks)
      sum += task.accuracy();
    return tasks.empty() ? 0.0 : sum / static_cast<double>(tasks.size());
  }

  /// Trainable parameters over all adapters.
  std::int64_t trainable() const {
    std::int64_t sum = 0;
    for (const ParameterCount& count : parameters)
      sum += count.trainable;
    return sum;
  }
};

/// What came out when a finished run was computed once more.
struct VerificationRecord {
  std::string identity;
  std::string time;                      // UTC, as RunRecord::started
  std::string level;                     // reached: "bit-equal", "same-kernel", "statistical"
  std::string trained_hash;              // of the repeat
  std::int64_t predictions = 0;          // test images that were compared
  std::int64_t changed_predictions = 0;  // whose class the repeat sees otherwise
  NamedValues environment;               // of the repeat

  friend bool operator==(const VerificationRecord&, const VerificationRecord&) = default;
};

/// A planned run beside what the store knows about it.
struct StudyRun {
  PlannedRun plan;
  std::optional<RunStatus> status;  // nothing: not run yet
  std::string error_kind;
  std::string error;
  std::int64_t attempts = 0;  // how often it was recorded: failed attempts and the one that worked
};

}  // namespace petlab::results
