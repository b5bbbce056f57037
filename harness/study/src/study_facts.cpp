#include "petlab/study/study_facts.hpp"

#include "descriptor_checks.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/model_hub.hpp"
#include "petlab/datasets/dataset_hash.hpp"
#include "petlab/engine/class_tokens.hpp"
#include "petlab/engine/dataset_choice.hpp"
#include "planned_parts.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <tuple>

namespace petlab::study {

namespace {

/// The two places that a study is moved between machines by.
void check_there(const std::filesystem::path& path, const char* what, const char* option,
                 const char* variable, const char* key, const std::string& hint = "") {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw base::Error(base::ErrorKind::data, std::string(what) + " " + path.string() +
                                                 " does not exist: say where it is with " + option +
                                                 ", " + variable + " or " + key + hint);
}

/// The data set, read and hashed once in a process: `reproduce` plans many studies on one.
const datasets::Dataset& dataset_of(const engine::DatasetSpec& spec) {
  static std::map<std::string, datasets::Dataset> known;
  const std::string key = pictures_key(spec);
  const auto found = known.find(key);
  if (found == known.end())
    check_there(spec.root, "data set folder", "--dataset-root DIR", "PETLAB_DATASET_ROOT",
                "root in [dataset]");
  return found != known.end() ? found->second
                              : known.emplace(key, engine::open_study_dataset(spec)).first->second;
}

struct BackboneHashes {
  std::string weights, settings;
};

/// The hashes of the backbone, after its tokenizer has told the classes of the data set apart:
/// likewise once, for a backbone and a data set.
const BackboneHashes& checked_backbone_hashes(const Protocol& protocol) {
  static std::map<std::tuple<std::filesystem::path, bool, std::string>, BackboneHashes> known;
  const auto key =
      std::tuple(protocol.backbone, protocol.allow_unknown_weights, pictures_key(protocol.dataset));
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  const auto backbone = clip::Backbone::load(
      protocol.backbone, c10::kCPU, {.allow_unknown_weights = protocol.allow_unknown_weights});
  // Before any work; with the template of its method each run looks again.
  engine::check_class_tokens(backbone->tokenizer(), backbone->shape().context_length,
                             study_tasks(protocol.dataset), "{}");
  return known.emplace(key, BackboneHashes{backbone->weight_hash(), backbone->settings_hash()})
      .first->second;
}

/// Rows without a size of their own have the split of the largest.
void add_largest(StudyFacts& facts, const Protocol& protocol) {
  const double largest = largest_train_size(protocol.dataset);
  if (largest == 0.0) return;
  std::string text;
  for (const TrainSize& size : train_sizes(protocol.dataset))
    if (base::parse_number<double>(size.text) == largest) text = size.text;
  for (const std::uint64_t seed : protocol.seeds) {
    const SplitOf place{seed, text};
    facts.split_hashes[seed] = facts.split_hashes.at(place);
    facts.train_images[seed] = facts.train_images.at(place);
    facts.notes[seed] = facts.notes.at(place);
  }
}

}  // namespace

StudyFacts measure_facts(const Protocol& protocol) {
  const datasets::Dataset& dataset = dataset_of(protocol.dataset);
  check_there(protocol.backbone, "backbone", "--backbone DIR", "PETLAB_BACKBONE",
              "dir in [backbone]", clip::hub_hint(protocol.backbone));
  StudyFacts facts;
  facts.dataset_fingerprint = datasets::dataset_hash(dataset);
  if (dataset.class_part != datasets::ClassPart::all) facts.all_classes = dataset.fingerprint;
  facts.class_names_hash = dataset.class_names_hash;
  if (!dataset.class_names_hash.empty())
    facts.class_names = protocol.dataset.class_names.filename().string() + ": " +
                        base::joined(dataset.display_names);
  for (const TrainSize& size : train_sizes(protocol.dataset)) {
    for (const std::uint64_t seed : protocol.seeds) {
      const datasets::Split split = engine::study_split(dataset, size.dataset, seed);
      const SplitOf place{seed, size.text};
      facts.split_hashes[place] = split.hash;
      for (const auto& train : split.train)
        facts.train_images[place] += static_cast<std::int64_t>(train.size());
      facts.notes[place] = engine::study_notes(dataset, split, size.dataset);
    }
  }
  add_largest(facts, protocol);
  const BackboneHashes& backbone = checked_backbone_hashes(protocol);
  facts.backbone_weights = backbone.weights;
  facts.backbone_settings = backbone.settings;
  facts.torch_version = loaded_torch_version();
  return facts;
}

std::vector<engine::Task> study_tasks(const engine::DatasetSpec& spec) {
  const datasets::Dataset& dataset = dataset_of(spec);
  std::vector<engine::Task> tasks;
  for (const datasets::Domain& domain : dataset.domains) {
    engine::Task& task = tasks.emplace_back();
    task.name = domain.name;
    for (const std::int64_t label : domain.classes)
      task.classes.push_back(dataset.display_names[static_cast<std::size_t>(label)]);
  }
  return tasks;
}

}  // namespace petlab::study
