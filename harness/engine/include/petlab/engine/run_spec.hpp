#pragma once

#include "petlab/datasets/class_part.hpp"
#include "petlab/engine/value_names.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace petlab::engine {

/// Which tasks use which adapter.
enum class Sharing {
  per_task,          ///< one adapter a task
  joint,             ///< one adapter for all tasks
  grouped,           ///< one adapter a group of tasks
  grouped_specific,  ///< one a group and one a task, composed (MmAP-MT)
  joint_specific,    ///< one for all and one a task, composed
};
template <>
struct ValueNames<Sharing> {
  static constexpr std::array kAll = {"per-task", "joint", "grouped", "grouped+specific",
                                      "joint+specific"};
};

/// Throws Error(config) naming the value and the known ones.
[[nodiscard]] Sharing parse_sharing(const std::string& text);

enum class Schedule { cosine, constant };
template <>
struct ValueNames<Schedule> {
  static constexpr std::array kAll = {"cosine", "constant"};
};

/// Whose length and schedule of training a run has.
enum class Budget {
  equal,      ///< the protocol's, as all methods
  published,  ///< sdk::PublishedBudget of its method
};
template <>
struct ValueNames<Budget> {
  static constexpr std::array kAll = {"equal", "published"};
};

/// What a schedule counts.
enum class ScheduleInterval { epoch, step };
template <>
struct ValueNames<ScheduleInterval> {
  static constexpr std::array kAll = {"epoch", "step"};
};

/// What a step is made of.
enum class Sampler {
  tasks,  ///< one batch of each task
  /// One batch of the union of the tasks that share adapters, whose loss is the mean over its
  /// images: what code does that trains on several domains as on one.
  union_of_tasks,
};
template <>
struct ValueNames<Sampler> {
  static constexpr std::array kAll = {"tasks", "union"};
};

enum class Augmentation { none, flip, crop_flip };
template <>
struct ValueNames<Augmentation> {
  static constexpr std::array kAll = {"none", "flip", "crop-flip"};
};

/// How the losses of the batches of a step become one.
enum class TaskLoss {
  sum,   ///< sum over tasks of the task's mean cross-entropy (paper, recalled)
  mean,  ///< the same divided by the number of tasks in the step
};
template <>
struct ValueNames<TaskLoss> {
  static constexpr std::array kAll = {"sum", "mean"};
};

enum class OptimizerKind {
  sgd,
  adamw,
  adam,  ///< weight decay is a part of the gradient (L2)
};
template <>
struct ValueNames<OptimizerKind> {
  static constexpr std::array kAll = {"sgd", "adamw", "adam"};
};

/// Where the adapters of groups start from.
enum class GroupStart {
  fresh,    ///< as any adapter starts
  warm_up,  ///< from the adapter that all tasks shared while their affinities were measured
};
template <>
struct ValueNames<GroupStart> {
  static constexpr std::array kAll = {"fresh", "warm-up"};
};

/// What the towers compute in: as they are, or under bfloat16 autocast.
enum class Precision { fp32, bf16 };
template <>
struct ValueNames<Precision> {
  static constexpr std::array kAll = {"fp32", "bf16"};
};

enum class DeviceKind { cpu, cuda };
template <>
struct ValueNames<DeviceKind> {
  static constexpr std::array kAll = {"cpu", "cuda"};
};

/// How a run is trained. Epochs, batches, schedule and augmentation are the protocol's and equal
/// for all methods, but for what a published budget says; optimizer, learning rate, weight decay
/// and momentum default to the method's own publication (sdk::TrainingDefaults) and can be set for
/// each row of a study. Each member has its entry in setting_table.cpp, which says all the rest of
/// it.
struct Training {
  Budget budget = Budget::equal;
  std::int64_t epochs = 5;
  std::int64_t steps = 0;  ///< above 0: as many in the place of epochs
  std::int64_t batch = 4;  ///< images of each task, or of each union of tasks, in one step
  /// Parts of a step's batches, computed one after the other (sliced_step.hpp), by as many
  /// processes as there are.
  std::int64_t slices = 1;
  bool drop_last = false;  ///< leave out the images of a last batch that is not full
  Sampler sampler = Sampler::tasks;
  OptimizerKind optimizer = OptimizerKind::sgd;
  double learning_rate = 0.002;
  double weight_decay = 5e-4;
  double momentum = 0.9;
  double epsilon = 1e-8;       ///< of adam and adamw
  double clip_gradient = 0.0;  ///< above 0: longest gradient of tasks that share adapters
  /// Factors of the learning rate of the parameters whose name fits a pattern with '*', and of
  /// those of adapters of a scope ("shared", "group", "task"). Both count; 1 where nothing fits.
  std::map<std::string, double> rate_by_parameter = {};
  std::map<std::string, double> rate_by_scope = {};
  GroupStart group_start = GroupStart::fresh;
  Schedule schedule = Schedule::cosine;
  ScheduleInterval schedule_interval = ScheduleInterval::epoch;
  double end_learning_rate = 0.0;  ///< of a cosine over the whole training
  std::int64_t warmup_epochs = 1;  ///< constant warm-up, as in CoOp's code
  double warmup_learning_rate = 1e-5;
  Augmentation augmentation = Augmentation::none;
  TaskLoss task_loss = TaskLoss::sum;
  Precision precision = Precision::fp32;
};

/// Whose images are scored instead of the test images, where they are named and not held out.
enum class ValidationPart { none, list, development };
template <>
struct ValueNames<ValidationPart> {
  static constexpr std::array kAll = {"none", "list", "development"};
};

using datasets::ClassPart;
template <>
struct ValueNames<ClassPart> {
  static constexpr std::array kAll = datasets::kClassPartNames;
};

/// A grouping strategy and its options.
struct GroupingSpec {
  std::string strategy;
  std::map<std::string, std::string> options;  ///< complete: defaults resolved
};

/// Where the images come from and which of them train.
struct DatasetSpec {
  std::string name;                       ///< datasets::dataset_names()
  std::filesystem::path root;             ///< of the pictures
  std::vector<std::string> domains = {};  ///< the tasks, in this order; empty = all
  std::filesystem::path lists = {};       ///< of data sets that are made by lists; "" = in root
  std::string split = "percent";          ///< or "shots", "list"
  double train_fraction = 0.1;            ///< of percent
  std::int64_t train_shots = 0;           ///< of shots: pictures of each class of each domain
  /// The sizes of a study that has several, in its order; empty for others, and in a run, which has
  /// one of them above.
  std::vector<double> train_fractions = {};
  std::vector<std::int64_t> train_shot_counts = {};
  /// Above 0: the test images are those that a split of this size leaves, a share or a number of
  /// shots as `split` says.
  double largest_train_size = 0.0;
  /// Lists (datasets::expand_lists), "own" for the data set's own, or "". Of split "list" they are
  /// the split; else training pictures are picked from their training part.
  std::string split_list;
  std::filesystem::path split_base = {};  ///< where relative lists start
  /// Above 0: this share of the training pictures, or this number of each class, is held out and
  /// tested on instead of the test pictures, which nothing looks at. For choosing settings.
  double validation_fraction = 0.0;
  std::int64_t validation_shots = 0;
  /// The same with the validation images that the lists name, or with the development images.
  ValidationPart validation = ValidationPart::none;
  /// Above 0: this share of each class of each domain is set aside by `development_seed`, whatever
  /// the run's seed, and neither trains nor tests (datasets::SplitChoice).
  double development_fraction = 0.0;
  std::int64_t development_seed = 1;
  /// CSV file of what classes are called in prompts (datasets::DatasetSource); "" = as their
  /// folders.
  std::filesystem::path class_names = {};
  bool leave_out_foreign = false;  ///< pictures in formats that petlab does not read; else refused
  /// Base: each run is tested on the new classes too, as an evaluation.
  ClassPart classes = ClassPart::all;
  /// Each task's adapters are tested on every domain too, as evaluations.
  bool cross_domain = false;
  /// The domain that neither trains nor tests in a run, whose adapters are then tested on it, as an
  /// evaluation; "each" in a study that stands for one a domain (study::left_out_studies).
  std::string leave_out = {};
  /// Protocol files that name the data sets on which each run is tested too, as evaluations
  /// (study::transfer_targets).
  std::vector<std::filesystem::path> transfer = {};

  [[nodiscard]] bool tests_on_validation() const {
    return validation_fraction > 0.0 || validation_shots > 0 || validation != ValidationPart::none;
  }
};

/// What setting_table() sets: of a study, and of each of its runs.
struct RunSettings {
  Training training;
  DatasetSpec dataset;
  std::filesystem::path backbone;  ///< model directory or file of weights
  /// Read an archive of weights that OpenAI has not published; what it holds is in the identity.
  bool allow_unknown_weights = false;
  DeviceKind device = DeviceKind::cpu;
};

/// One run: one method under one protocol with one sharing and one seed. Everything in it that
/// decides the result is part of the identity.
struct RunSpec : RunSettings {
  std::string study;
  std::string label;     ///< row of the table, unique in the study
  std::int64_t row = 0;  ///< position of the row
  std::string method;
  std::map<std::string, std::string> method_options;  ///< complete: defaults resolved
  Sharing sharing = Sharing::joint;
  std::optional<GroupingSpec>
      grouping;                      ///< set exactly when sharing is grouped or grouped+specific
  std::string train_size = {};       ///< of a study with several: its text, "4" or "0.1"
  std::uint64_t seed = 1;            ///< of split, initialisation, data order and grouping
  std::filesystem::path cache_dir;   ///< image and feature caches; decides no result
  bool feature_store = true;         ///< keep image features in cache_dir for other runs; as above
  bool keep_adapters = true;         ///< in a file beside the store; decides no result
  int threads = 1;                   ///< intra-op threads; recorded, not part of the identity
  double checkpoint_seconds = 60.0;  ///< as in CheckpointPlace; decides no result
};

}  // namespace petlab::engine
