#include "petlab/core/run_inputs.hpp"

#include "petlab/clip/checkpoint.hpp"
#include "petlab/datasets/hash.hpp"
#include "petlab/datasets/image_cache.hpp"
#include "petlab/datasets/lists.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/results/identity.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::core {
namespace {

/// Index of a label of the data set among the classes of one domain.
std::int64_t label_in(const datasets::Domain& domain, std::int64_t label) {
  const auto found = std::lower_bound(domain.classes.begin(), domain.classes.end(), label);
  return found - domain.classes.begin();
}

LabelledImages pick(const datasets::Domain& domain, const std::vector<std::int64_t>& samples,
                    const at::Tensor& images) {
  LabelledImages result{images, samples, {}};
  for (const std::int64_t sample : samples)
    result.labels.push_back(
        label_in(domain, domain.samples[static_cast<std::size_t>(sample)].label));
  return result;
}

/// As asked for, or what the lists or shots came to.
double training_share(const datasets::Split& split, const DatasetSpec& spec) {
  if (spec.split == "percent") return spec.train_fraction;
  std::size_t train = 0;
  std::size_t all = 0;
  for (std::size_t d = 0; d < split.train.size(); ++d) {
    train += split.train[d].size();
    all += split.train[d].size() + split.test[d].size();
  }
  return all == 0 ? 0.0 : static_cast<double>(train) / static_cast<double>(all);
}

datasets::ImageCache open_images(const datasets::Dataset& dataset, int size,
                                 const std::filesystem::path& cache_dir, unsigned threads,
                                 Progress& progress) {
  bool announced = false;
  const auto report = [&](const datasets::CacheProgress& now) {
    if (!announced) progress.begin("images", static_cast<std::int64_t>(now.total));
    announced = true;
    progress.update(static_cast<std::int64_t>(now.done),
                    std::to_string(std::llround(now.images_per_second)) + " images/s");
  };
  return {dataset, size, {.directory = cache_dir, .threads = threads, .progress = report}};
}

}  // namespace

datasets::Dataset open_study_dataset(const DatasetSpec& spec) {
  return datasets::open_dataset(
      {.name = spec.name, .root = spec.root, .domains = spec.domains, .lists = spec.lists});
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
  choice.validation = {spec.validation_fraction, spec.validation_shots};
  const datasets::Split split = datasets::choose_split(dataset, choice, seed);
  return spec.tests_on_validation() ? datasets::tested_on_validation(dataset, split) : split;
}

results::SplitRecord split_record(const datasets::Dataset& dataset, const datasets::Split& split,
                                  const DatasetSpec& spec) {
  results::SplitRecord record;
  record.hash = split.hash;
  record.dataset = {dataset.name, dataset.version, dataset.fingerprint};
  record.name = split.name;
  record.fraction = training_share(split, spec);
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

void prepare_images(const DatasetSpec& spec, const std::filesystem::path& backbone,
                    const std::filesystem::path& cache_dir, Progress& progress) {
  const auto size = static_cast<int>(clip::model_preprocessing(backbone).image_size);
  (void)open_images(open_study_dataset(spec), size, cache_dir, /*threads=*/0, progress);
}

void add_tasks(RunInputs& inputs, const datasets::Dataset& dataset, const datasets::Split& split,
               const RunSpec& spec, Progress& progress) {
  const auto size = static_cast<int>(inputs.backbone->preprocessing().image_size);
  const datasets::ImageCache cache =
      open_images(dataset, size, spec.cache_dir, static_cast<unsigned>(spec.threads), progress);
  inputs.split_hash = split.hash;
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const datasets::Domain& domain = dataset.domains[d];
    const at::Tensor images = cache.images(d);
    Task task;
    task.name = domain.name;
    for (const std::int64_t label : domain.classes)
      task.classes.push_back(dataset.display_names[static_cast<std::size_t>(label)]);
    task.train = pick(domain, split.train[d], images);
    inputs.tasks.push_back(std::move(task));
    inputs.test.push_back(pick(domain, split.test[d], images));
  }
}

}  // namespace petlab::core
