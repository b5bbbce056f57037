#include "petlab/engine/dataset_choice.hpp"

#include "data/domain_labels.hpp"
#include "petlab/base/error.hpp"
#include "petlab/datasets/dataset_hash.hpp"
#include "petlab/datasets/lists.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split_notes.hpp"

#include <cmath>
#include <set>

namespace petlab::engine {
namespace {

/// As asked for, or what the lists or shots came to.
double training_share(const datasets::Dataset& dataset, const datasets::Split& split,
                      const DatasetSpec& spec) {
  if (spec.split == "percent") return spec.train_fraction;
  std::size_t train = 0;
  std::size_t all = 0;
  for (std::size_t d = 0; d < split.train.size(); ++d) {
    train += split.train[d].size();
    // Development images, and those of larger sizes, are a part of the whole.
    all += spec.development_fraction > 0.0 || spec.largest_train_size > 0.0
               ? dataset.domains[d].samples.size()
               : split.train[d].size() + split.test[d].size();
  }
  return all == 0 ? 0.0 : static_cast<double>(train) / static_cast<double>(all);
}

/// "base classes: 33 of 65, the first by name (Alarm_Clock to Kettle)".
std::string class_part_note(const datasets::Dataset& dataset) {
  std::set<std::int64_t> labels;
  for (const datasets::Domain& domain : dataset.domains)
    labels.insert(domain.classes.begin(), domain.classes.end());
  const auto name = [&](std::int64_t label) {
    return dataset.classes[static_cast<std::size_t>(label)];
  };
  return datasets::to_string(dataset.class_part) + " classes: " + std::to_string(labels.size()) +
         " of " + std::to_string(dataset.classes.size()) + ", " +
         (dataset.class_part == ClassPart::base ? "the first" : "the last") + " by " +
         datasets::class_order(dataset) + " (" + name(*labels.begin()) + " to " +
         name(*labels.rbegin()) + ")";
}

}  // namespace

datasets::Dataset open_study_dataset(const DatasetSpec& spec) {
  return datasets::open_dataset({.name = spec.name,
                                 .root = spec.root,
                                 .domains = spec.domains,
                                 .lists = spec.lists,
                                 .class_names = spec.class_names,
                                 .leave_out_foreign = spec.leave_out_foreign,
                                 .classes = spec.classes});
}

datasets::Split study_split(const datasets::Dataset& dataset, const DatasetSpec& spec,
                            std::uint64_t seed) {
  using Kind = datasets::SplitChoice::Kind;
  datasets::SplitChoice choice;
  choice.kind = spec.split == "shots"  ? Kind::shots
                : spec.split == "list" ? Kind::list
                                       : Kind::percent;
  choice.train_fraction = spec.train_fraction;
  choice.train_shots = spec.train_shots;
  choice.own_lists = spec.split_list == "own";
  if (!choice.own_lists && !spec.split_list.empty())
    choice.lists = datasets::expand_lists(spec.split_list, spec.split_base);
  if (choice.kind == Kind::shots)
    choice.largest.shots = std::llround(spec.largest_train_size);
  else if (choice.kind == Kind::percent)
    choice.largest.fraction = spec.largest_train_size;
  choice.validation = {spec.validation_fraction, spec.validation_shots};
  choice.development_fraction = spec.development_fraction;
  choice.development_seed = static_cast<std::uint64_t>(spec.development_seed);
  choice.needs_test = !spec.tests_on_validation();
  datasets::Split split = datasets::choose_split(dataset, choice, seed);
  if (spec.validation == ValidationPart::development) split.name += "-tested";
  if (spec.tests_on_validation()) split = datasets::tested_on_validation(dataset, split);
  if (const std::string obstacle = datasets::split_obstacle(dataset, split); !obstacle.empty())
    throw base::Error(base::ErrorKind::data, obstacle);
  return split;
}

std::vector<std::string> study_notes(const datasets::Dataset& dataset, const datasets::Split& split,
                                     const DatasetSpec& spec) {
  std::vector<std::string> notes =
      datasets::split_notes(dataset, split, spec.split == "shots" ? spec.train_shots : 0);
  if (spec.classes != ClassPart::all) notes.push_back(class_part_note(dataset));
  for (const std::string& note : dataset.notes)
    if (note.starts_with("left out: ")) notes.push_back(note);
  return notes;
}

results::SplitRecord split_record(const datasets::Dataset& dataset, const datasets::Split& split,
                                  const DatasetSpec& spec) {
  results::SplitRecord record;
  record.hash = split.hash;
  record.dataset = {dataset.name, dataset.version, datasets::dataset_hash(dataset)};
  record.name = split.name;
  record.fraction = training_share(dataset, split, spec);
  record.seed = split.seed;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const datasets::Domain& domain = dataset.domains[d];
    results::TaskSplit task;
    task.task = domain.name;
    for (const std::int64_t label : domain.classes)
      task.classes.push_back(dataset.classes[static_cast<std::size_t>(label)]);
    task.n_train = static_cast<std::int64_t>(split.train[d].size());
    for (const std::int64_t sample : split.test[d]) {
      const datasets::Sample& image = domain.samples[static_cast<std::size_t>(sample)];
      task.test.push_back({image.id, label_in(domain, image.label)});
    }
    record.tasks.push_back(std::move(task));
  }
  return record;
}

}  // namespace petlab::engine
