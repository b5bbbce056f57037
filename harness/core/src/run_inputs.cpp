#include "petlab/core/run_inputs.hpp"

#include "petlab/clip/checkpoint.hpp"
#include "petlab/datasets/check.hpp"
#include "petlab/datasets/hash.hpp"
#include "petlab/datasets/image_cache.hpp"
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
  return datasets::open_dataset({.name = spec.name, .root = spec.root});
}

datasets::Split study_split(const datasets::Dataset& dataset, const DatasetSpec& spec,
                            std::uint64_t seed) {
  datasets::Split split = datasets::make_split(dataset, spec.train_fraction, seed);
  if (spec.validation_fraction <= 0.0) return split;
  return datasets::make_validation_split(dataset, split, spec.validation_fraction, seed);
}

results::SplitRecord split_record(const datasets::Dataset& dataset, const datasets::Split& split,
                                  const DatasetSpec& spec) {
  results::SplitRecord record;
  record.hash = split.hash;
  record.dataset = {dataset.name, dataset.version, dataset.fingerprint};
  record.name = split.name;
  record.fraction = spec.train_fraction;
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
