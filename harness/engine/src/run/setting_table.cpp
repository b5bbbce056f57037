#include "petlab/engine/setting_table.hpp"

#include "petlab/datasets/registry.hpp"
#include "run/setting_entries.hpp"

#include <algorithm>
#include <limits>

namespace petlab::engine {
namespace {

using namespace entries;

bool is_split_by_percent(const RunSettings& s) {
  return s.dataset.split == "percent";
}
bool is_split_by_shots(const RunSettings& s) {
  return s.dataset.split == "shots";
}
bool has_development(const RunSettings& s) {
  return s.dataset.development_fraction > 0.0;
}
bool is_sgd(const RunSettings& s) {
  return s.training.optimizer == OptimizerKind::sgd;
}
bool is_adam(const RunSettings& s) {
  return !is_sgd(s);
}
bool is_cosine(const RunSettings& s) {
  return s.training.schedule == Schedule::cosine;
}

constexpr Range kNotNegative{};
constexpr Range kAboveNothing{.is_open_below = true};
constexpr Range kShare{.maximum = 1.0};
constexpr Range kPart{.maximum = 1.0, .is_open_below = true, .is_open_above = true};
constexpr Range kPartOrNothing{.maximum = 1.0, .is_open_above = true};

// The pictures, names of classes and weights themselves are in the identity by their hashes.
std::vector<SettingEntry> make_table() {
  using D = DatasetSpec;
  using T = Training;
  using B = sdk::PublishedBudget;
  return {
      choice(&D::name, datasets::dataset_names(),
             {.section = "dataset",
              .name = "name",
              .help = "data set (petlab datasets list); folder, csv, coop-split, parquet and "
                      "webdataset: images of your own",
              .option = "dataset",
              .default_text = "must be there",
              .in_identity = false,
              .in_record = false}),
      path(&D::root, {.section = "dataset",
                      .name = "root",
                      .help = "folder of the images; of csv, coop-split, parquet and webdataset "
                              "also the file",
                      .option = "dataset-root",
                      .default_text = "must be there",
                      .in_identity = false,
                      .in_record = false}),
      names(&D::domains, {.section = "dataset",
                          .name = "domains",
                          .help = "only these domains, in this order, e.g. Art,Product",
                          .option = "domains",
                          .default_text = "all",
                          .in_identity = false,
                          .is_optional = true}),
      path(&D::lists,
           {.section = "dataset",
            .name = "lists",
            .help = "folder of the lists that make mini-domainnet, domainnet-126, domainnet, or of "
                    "CoOp's split_zhou_*.json",
            .default_text = "in the root",
            .in_identity = false,
            .is_optional = true}),
      path(&D::class_names,
           {.section = "dataset",
            .name = "class-names",
            .help = "CSV file with the columns folder and name, or a .txt of such lines as in "
                    "ImageNet's classnames.txt: what each class is called in prompts",
            .option = "class-names",
            .default_text = "as their folders",
            .in_identity = false,
            .in_record = false,
            .is_optional = true}),
      choice(&D::classes,
             {.section = "dataset",
              .name = "classes",
              .help = "base: the first half of the classes by name trains and tests, and the run's "
                      "adapters are then tested on the new classes, the other half; new: the other "
                      "half alone",
              .option = "classes",
              .in_identity = false,
              .is_optional = true}),
      choice(&D::cross_domain, {"no", "yes"},
             {.section = "dataset",
              .name = "cross-domain",
              .help = "yes: when a run is done, each task's adapters are tested on every domain",
              .option = "cross-domain",
              .in_identity = false,
              .in_record = false,
              .is_optional = true}),
      name(&D::leave_out, {.section = "dataset",
                           .name = "leave-out",
                           .help = "a domain that neither trains nor tests; a run that is done is "
                                   "then tested on it. each: a study for each domain",
                           .option = "leave-out",
                           .default_text = "none",
                           .in_identity = false,
                           .in_record = false,
                           .is_optional = true}),
      paths(&D::transfer,
            {.section = "dataset",
             .name = "transfer",
             .help = "protocol files whose [dataset] names another data set: a run that is done "
                     "is then tested on it, with the classes that it has",
             .default_text = "none",
             .in_identity = false,
             .in_record = false,
             .is_optional = true}),
      choice(&D::leave_out_foreign, {"refuse", "leave-out"},
             {.section = "dataset",
              .name = "other-formats",
              .help = "images in formats that petlab does not read: an error, or left out of the "
                      "data set with a note",
              .option = "other-formats",
              .in_identity = false,
              .is_optional = true}),
      choice(&D::split, {"percent", "shots", "list"},
             {.section = "dataset",
              .name = "split",
              .help = "how the training images are chosen",
              .option = "split",
              .in_identity = false,
              .is_optional = true}),
      sizes(&D::train_fraction, &D::train_fractions,
            "number " + to_string(kPart) + ", or several with commas between",
            [](const Setting& said) { return real_value(said, kPart); },
            {.section = "dataset",
             .name = "train-fraction",
             .help = "percent: share of each class of each domain used for training, the rest for "
                     "testing; at least one image per class",
             .option = "train-fraction",
             .applies = is_split_by_percent,
             .identity_otherwise = "0"}),
      sizes(&D::train_shots, &D::train_shot_counts,
            "integer " + integer_bounds(1, kLargestCount) + ", or several with commas between",
            [](const Setting& said) { return integer_value(said, 1); },
            {.section = "dataset",
             .name = "train-shots",
             .help = "shots: training images per class and domain",
             .unit = "images",
             .option = "train-shots",
             .default_text = "must be there for shots",
             .in_identity = false,
             .is_optional = true,
             .applies = is_split_by_shots}),
      real(&D::largest_train_size, kNotNegative,
           {.section = "dataset",
            .name = "largest-train-size",
            .help = "above 0: the test images are those that a split of this share, or of so many "
                    "shots, leaves: one test set for smaller sizes",
            .default_text = "the largest of several",
            .in_identity = false,
            .is_optional = true}),
      lists({.section = "dataset",
             .name = "split-list",
             .help = "lists: files, patterns (lists/*/{train,test}_10.txt), folders; or own, the "
                     "data set's own. With percent and shots: training images come from the "
                     "lists' training part, and their test part tests",
             .option = "split-list",
             .default_text = "own for list",
             .in_identity = false,
             .is_optional = true}),
      real(&D::validation_fraction, kPartOrNothing,
           {.section = "dataset",
            .name = "validation-fraction",
            .help = "above 0: hold out this share of the training images and test on them; the "
                    "test images are not used",
            .is_optional = true}),
      integer(&D::validation_shots, 0,
              {.section = "dataset",
               .name = "validation-shots",
               .help = "the same with a number of each class",
               .unit = "images",
               .in_identity = false,
               .is_optional = true}),
      choice(&D::validation,
             {.section = "dataset",
              .name = "validation",
              .help = "list: test on the validation images that the lists name; development: on "
                      "the development images; the test images are not used",
              .in_identity = false,
              .is_optional = true}),
      real(&D::development_fraction, kPartOrNothing,
           {.section = "dataset",
            .name = "development-fraction",
            .help = "above 0: set this share of each class of each domain aside, the same images "
                    "for every seed: they neither train nor test; a search is scored on them",
            .in_identity = false,
            .is_optional = true}),
      integer(&D::development_seed, 0,
              {.section = "dataset",
               .name = "development-seed",
               .help = "seed that selects the development images",
               .in_identity = false,
               .is_optional = true,
               .applies = has_development},
              /*maximum=*/std::numeric_limits<std::int64_t>::max()),

      model(&RunSettings::backbone,
            {.section = "backbone",
             .name = "dir",
             .help = "a CLIP in the layout of Hugging Face, OpenCLIP or OpenAI, or its file of "
                     "weights; or a name of the Hugging Face hub whose model is in its cache "
                     "(openai/clip-vit-base-patch16)",
             .option = "backbone",
             .default_text = "must be there",
             .in_identity = false,
             .in_record = false}),
      choice(&RunSettings::allow_unknown_weights, {"no", "yes"},
             {.section = "backbone",
              .name = "allow-unknown-weights",
              .help = "yes: load a .pt that is not an official OpenAI checkpoint (by its SHA-256)",
              .in_identity = false,
              .in_record = false,
              .is_optional = true}),

      choice(&T::budget,
             {.name = "budget",
              .help = "published: each method trains for the epochs or steps, in the batches and "
                      "by the schedule of its publication's code; the keys here that say them are "
                      "then of methods that have none",
              .option = "budget",
              .is_optional = true}),
      budgeted([](const B& b) { return b.epochs > 0 ? base::number_text(b.epochs) : ""; },
               integer(&T::epochs, 1,
                       {.name = "epochs",
                        .help = "passes over the training images",
                        .unit = "epochs",
                        .option = "epochs"})),
      budgeted(
          text_of(&B::steps),
          integer(
              &T::steps, 0,
              {.name = "steps",
               .help = "above 0: optimizer steps, in the place of epochs; the last epoch ends with "
                       "them",
               .unit = "steps",
               .option = "steps",
               .is_optional = true})),
      budgeted(text_of(&B::batch), integer(&T::batch, 1,
                                           {.name = "batch",
                                            .help = "images per task in one step",
                                            .unit = "images",
                                            .option = "batch"},
                                           /*maximum=*/65536)),
      integer(&T::slices, 1,
              {.name = "slices",
               .help = "parts of each batch, at most its images: computed one after the other in "
                       "less memory, their gradients added in order; --ranks shares them out",
               .is_optional = true},
              /*maximum=*/65536),
      choice(&T::drop_last, {"no", "yes"},
             {.name = "drop-last",
              .help = "yes: an epoch leaves out the images of a last batch that is not full, but "
                      "for a task of fewer images than a batch",
              .is_optional = true}),
      choice(&T::sampler,
             {.name = "sampler",
              .help = "tasks: a batch of each task in a step; union: one batch of all tasks that "
                      "share adapters, mixed, with a mean loss over its images",
              .is_optional = true}),
      budgeted(text_of(&B::schedule),
               choice(&T::schedule, {.name = "schedule", .help = "of the learning rate"})),
      budgeted(text_of(&B::schedule_interval),
               choice(&T::schedule_interval, {.name = "schedule-interval",
                                              .help = "what the cosine counts",
                                              .is_optional = true,
                                              .applies = is_cosine})),
      budgeted(
          text_of(&B::end_learning_rate),
          real(&T::end_learning_rate, kNotNegative,
               {.name = "end-learning-rate",
                .help =
                    "where a cosine over all of the training would end; the learning rate itself "
                    "where that is lower",
                .is_optional = true,
                .applies = is_cosine})),
      budgeted(text_of(&B::warmup_epochs),
               integer(&T::warmup_epochs, 0,
                       {.name = "warmup-epochs",
                        .help = "epochs at the constant warm-up rate, fewer than epochs",
                        .unit = "epochs"})),
      real(&T::warmup_learning_rate, kNotNegative,
           {.name = "warmup-learning-rate", .help = "learning rate of the warm-up"}),
      choice(&T::augmentation, {.name = "augmentation", .help = "augmentation of training images"}),
      choice(&T::task_loss, {.name = "task-loss", .help = "over the tasks of a step"}),
      choice(
          &T::precision,
          {.name = "precision", .help = "of the towers; bf16 is autocast", .option = "precision"}),
      choice(&RunSettings::device, {.name = "device",
                                    .help = "device that runs compute on",
                                    .option = "device",
                                    .in_record = false}),

      published(&sdk::TrainingDefaults::optimizer,
                choice(&T::optimizer, {.name = "optimizer", .help = "of the method's parameters"})),
      published(&sdk::TrainingDefaults::epsilon,
                real(&T::epsilon, kAboveNothing,
                     {.name = "epsilon",
                      .help = "of adam and adamw: what is added to the root of the second moment",
                      .is_optional = true,
                      .applies = is_adam})),
      of_row(real(&T::clip_gradient, kNotNegative,
                  {.name = "clip-gradient",
                   .help = "above 0: longest gradient; one over all parameters of tasks that share "
                           "adapters is scaled down to it",
                   .is_optional = true})),
      published(&sdk::TrainingDefaults::learning_rate,
                real(&T::learning_rate, kNotNegative,
                     {.name = "learning-rate", .help = "after the warm-up"})),
      published(&sdk::TrainingDefaults::weight_decay,
                real(&T::weight_decay, kNotNegative,
                     {.name = "weight-decay",
                      .help = "share of a parameter, times the rate, subtracted in each step"})),
      published(&sdk::TrainingDefaults::momentum,
                real(&T::momentum, kShare,
                     {.name = "momentum", .help = "of sgd alone", .applies = is_sgd})),
      factors(&T::rate_by_parameter, {},
              {.name = "rate-by-parameter",
               .help = "factors of the learning rate by parameter, e.g. source:4,text*:0.5"}),
      factors(&T::rate_by_scope, {"shared", "group", "task"},
              {.name = "rate-by-scope",
               .help = "factors of the learning rate by whose the adapter is, e.g. shared:0.25"}),
      of_row(choice(&T::group_start,
                    {.name = "group-start",
                     .help = "of a group's adapter: a fresh one, or the one that all tasks shared "
                             "while the grouping measured their affinities",
                     .is_optional = true})),
  };
}

const SettingEntry* find(SettingScope scope, const auto& is_it) {
  const auto& table = setting_table();
  const auto found = std::find_if(table.begin(), table.end(), [&](const SettingEntry& entry) {
    return entry.scope == scope && is_it(entry);
  });
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

bool SettingEntry::is_default(const RunSettings& settings) const {
  return text(settings) == text(RunSettings{});
}

bool SettingEntry::is_said(const RunSettings& settings) const {
  return (applies == nullptr || applies(settings)) && !(is_optional && is_default(settings));
}

const std::vector<SettingEntry>& setting_table() {
  static const std::vector<SettingEntry> table = make_table();
  return table;
}

const SettingEntry* study_setting(const std::string& key) {
  return find(SettingScope::study, [&](const SettingEntry& e) { return e.key() == key; });
}

const SettingEntry* row_setting(const std::string& name) {
  return find(SettingScope::row, [&](const SettingEntry& e) { return e.name == name; });
}

std::vector<const SettingEntry*> take_budget(RunSettings& settings,
                                             const sdk::PublishedBudget& budget) {
  std::vector<const SettingEntry*> taken;
  for (const SettingEntry& entry : setting_table()) {
    const std::string text = entry.budget ? entry.budget(budget) : "";
    if (text.empty()) continue;
    entry.take(settings, {entry.name, text, "the published budget", ""});
    taken.push_back(&entry);
  }
  return taken;
}

}  // namespace petlab::engine
