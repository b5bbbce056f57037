#include "petlab/engine/setting_table.hpp"

#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/sdk/method.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>
#include <utility>

namespace petlab::engine {
namespace {

/// The part of the settings that a member of `Owner` is in.
template <class Owner, class Settings>
auto& part_of(Settings& settings) {
  if constexpr (std::is_same_v<Owner, Training>)
    return settings.training;
  else if constexpr (std::is_same_v<Owner, DatasetSpec>)
    return settings.dataset;
  else
    return settings;
}

/// The entry of a member that `read` makes of what is said, and `show` turns into a text.
template <class Owner, class Value, class Read, class Show>
SettingEntry entry_of(Value Owner::* member, SettingEntry entry, std::string values, Read read,
                      Show show) {
  entry.values = std::move(values);
  entry.take = [member, read](RunSettings& settings, const Setting& said) {
    part_of<Owner>(settings).*member = read(said);
  };
  entry.text = [member, show](const RunSettings& settings) {
    return show(part_of<Owner>(settings).*member);
  };
  return entry;
}

template <class Owner>
SettingEntry integer(std::int64_t Owner::* member, std::int64_t minimum, SettingEntry entry,
                     std::int64_t maximum = kLargestCount) {
  return entry_of(
      member, std::move(entry), "integer " + integer_bounds(minimum, maximum),
      [minimum, maximum](const Setting& said) { return integer_value(said, minimum, maximum); },
      base::number_text<std::int64_t>);
}

template <class Owner>
SettingEntry real(double Owner::* member, const Range& range, SettingEntry entry) {
  return entry_of(
      member, std::move(entry), "number " + to_string(range),
      [range](const Setting& said) { return real_value(said, range); }, base::number_text<double>);
}

/// "`a`, `b` or `c`" without the marks.
std::string one_of(const std::vector<std::string>& choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i)
    text += (i == 0 ? "" : i + 1 < choices.size() ? ", " : " or ") + choices[i];
  return text;
}

template <class Owner, class Value>
SettingEntry choice(Value Owner::* member, SettingEntry entry) {
  entry.choices = value_names<Value>();
  const std::string values = one_of(entry.choices);
  return entry_of(
      member, std::move(entry), values,
      [](const Setting& said) { return choice_value<Value>(said); },
      [](Value value) { return to_string(value); });
}

template <class Owner>
SettingEntry choice(std::string Owner::* member, std::vector<std::string> choices,
                    SettingEntry entry) {
  entry.choices = choices;
  return entry_of(
      member, std::move(entry), one_of(choices),
      [choices](const Setting& said) { return choice_value(said, choices); },
      [](const std::string& value) { return value; });
}

/// Two words, the second for true.
template <class Owner>
SettingEntry choice(bool Owner::* member, const std::pair<std::string, std::string>& words,
                    SettingEntry entry) {
  entry.choices = {words.first, words.second};
  const std::string values = one_of(entry.choices);
  return entry_of(
      member, std::move(entry), values,
      [words](const Setting& said) {
        return choice_value(said, {words.first, words.second}) == words.second;
      },
      [words](bool value) { return value ? words.second : words.first; });
}

template <class Owner>
SettingEntry path(std::filesystem::path Owner::* member, SettingEntry entry) {
  return entry_of(member, std::move(entry), "path", path_value,
                  [](const std::filesystem::path& value) { return value.string(); });
}

SettingEntry names(std::vector<std::string> DatasetSpec::* member, SettingEntry entry) {
  return entry_of(member, std::move(entry), "names with commas between", list_value,
                  [](const std::vector<std::string>& values) { return base::joined(values, ","); });
}

/// Lists of pictures, kept as written beside the folder where they start.
SettingEntry lists(SettingEntry entry) {
  entry.values = "lists with commas between";
  entry.text = [](const RunSettings& settings) { return settings.dataset.split_list; };
  entry.take = [](RunSettings& settings, const Setting& said) {
    if (said.value.empty()) setting_error(said, "expected lists, or own for the data set's own");
    settings.dataset.split_list = said.value;
    settings.dataset.split_base =
        (std::filesystem::absolute(said.base.empty() ? std::filesystem::current_path()
                                                     : said.base) /
         "")
            .lexically_normal();
  };
  return entry;
}

/// A setting of a row without a publication.
SettingEntry of_row(SettingEntry entry) {
  entry.scope = SettingScope::row;
  entry.is_searchable = true;
  return entry;
}

/// Factors of the learning rate by name.
SettingEntry factors(std::map<std::string, double> Training::* member,
                     const std::vector<std::string>& names, SettingEntry entry) {
  entry.default_text = "none";
  entry.is_optional = true;
  return of_row(entry_of(
      member, std::move(entry), "names with factors: NAME:FACTOR,...",
      [names](const Setting& said) { return factors_value(said, names); }, factors_text));
}

/// A setting of a method, with what its publication says.
template <class Value>
SettingEntry published(Value sdk::TrainingDefaults::* member, SettingEntry entry) {
  entry.scope = SettingScope::row;
  entry.is_searchable = true;
  entry.default_text = "its publication's";
  entry.publication = [member](const sdk::TrainingDefaults& publication) {
    if constexpr (std::is_arithmetic_v<Value>)
      return base::number_text(publication.*member);
    else
      return std::string(publication.*member);
  };
  return entry;
}

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

constexpr Range kNotNegative{};
constexpr Range kShare{.maximum = 1.0};
constexpr Range kPart{.maximum = 1.0, .is_open_below = true, .is_open_above = true};
constexpr Range kPartOrNothing{.maximum = 1.0, .is_open_above = true};

// The pictures, names of classes and weights themselves are in the identity by their hashes.
std::vector<SettingEntry> make_table() {
  using D = DatasetSpec;
  using T = Training;
  return {
      choice(&D::name, datasets::dataset_names(),
             {.section = "dataset",
              .name = "name",
              .help = "data set (petlab datasets list); folder and csv: images of your own",
              .option = "dataset",
              .default_text = "must be there",
              .in_identity = false,
              .in_record = false}),
      path(&D::root, {.section = "dataset",
                      .name = "root",
                      .help = "folder of the images; of csv the file",
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
            .help = "folder of the lists that make mini-domainnet, domainnet-126, domainnet",
            .default_text = "in the root",
            .in_identity = false,
            .is_optional = true}),
      path(&D::class_names,
           {.section = "dataset",
            .name = "class-names",
            .help =
                "CSV file with the columns folder and name: what each class is called in prompts",
            .option = "class-names",
            .default_text = "as their folders",
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
      real(&D::train_fraction, kPart,
           {.section = "dataset",
            .name = "train-fraction",
            .help = "percent: share of each class of each domain used for training, the rest for "
                    "testing; at least one image per class",
            .option = "train-fraction",
            .applies = is_split_by_percent,
            .identity_otherwise = "0"}),
      integer(&D::train_shots, 1,
              {.section = "dataset",
               .name = "train-shots",
               .help = "shots: training images per class and domain",
               .unit = "images",
               .option = "train-shots",
               .default_text = "must be there for shots",
               .in_identity = false,
               .is_optional = true,
               .applies = is_split_by_shots}),
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

      path(&RunSettings::backbone,
           {.section = "backbone",
            .name = "dir",
            .help = "a CLIP in the layout of Hugging Face, OpenCLIP or OpenAI, or its file of "
                    "weights",
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

      integer(&T::epochs, 1,
              {.name = "epochs",
               .help = "passes over the training images",
               .unit = "epochs",
               .option = "epochs"}),
      integer(&T::batch, 1,
              {.name = "batch",
               .help = "images per task in one step",
               .unit = "images",
               .option = "batch"},
              /*maximum=*/65536),
      choice(&T::schedule, {.name = "schedule", .help = "of the learning rate"}),
      integer(&T::warmup_epochs, 0,
              {.name = "warmup-epochs",
               .help = "epochs at the constant warm-up rate, fewer than epochs",
               .unit = "epochs"}),
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

}  // namespace petlab::engine
