#include "petlab/core/run_inputs.hpp"

#include "domain_labels.hpp"
#include "petlab/clip/checkpoint.hpp"
#include "petlab/datasets/image_cache.hpp"
#include "petlab/datasets/lists.hpp"
#include "petlab/datasets/registry.hpp"
#include "planned_parts.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace petlab::core {
namespace {

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

/// Equal for runs that read the same pictures at the same size.
std::string pictures_key(const RunSpec& spec) {
  const DatasetSpec& data = spec.dataset;
  std::string key = data.name + "\n" + data.root.string() + "\n" + data.lists.string() + "\n" +
                    spec.backbone.string();
  for (const std::string& domain : data.domains)
    key += "\n" + domain;
  return key;
}

void build_images(const datasets::Dataset& dataset, int size,
                  const std::filesystem::path& cache_dir, Progress& progress) {
  bool announced = false;
  const auto report = [&](const datasets::CacheProgress& now) {
    if (!announced) progress.begin("images", static_cast<std::int64_t>(now.total));
    announced = true;
    progress.update(static_cast<std::int64_t>(now.done),
                    std::to_string(std::llround(now.images_per_second)) + " images/s");
  };
  const datasets::ImageCache built(dataset, size, {.directory = cache_dir, .progress = report});
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

void prepare_data(std::vector<Job>& jobs, results::RunStore& store, Progress& progress) {
  std::map<std::string, std::vector<Job*>> by_data;
  for (Job& job : jobs)
    by_data[pictures_key(job.spec)].push_back(&job);
  for (const auto& [key, members] : by_data) {
    const RunSpec& first = members.front()->spec;
    const datasets::Dataset dataset = open_study_dataset(first.dataset);
    check_unchanged("data set " + first.dataset.root.string(), dataset.fingerprint,
                    identity_part(members.front()->identity, "dataset.fingerprint"));
    const auto size = static_cast<int>(clip::model_preprocessing(first.backbone).image_size);
    build_images(dataset, size, first.cache_dir, progress);
    std::map<std::string, SplitSheets> of_split;
    for (Job* job : members) {
      const std::string& planned = identity_part(job->identity, "dataset.split");
      const auto [sheets, is_new] = of_split.try_emplace(planned);
      if (is_new) {
        const datasets::Split split = study_split(dataset, job->spec.dataset, job->spec.seed);
        check_unchanged("the split", split.hash, planned);
        store.register_split(split_record(dataset, split, job->spec.dataset));
        sheets->second = write_split_sheets(dataset, split, job->spec.cache_dir / "splits");
      }
      job->sheets = sheets->second;
    }
  }
}

}  // namespace petlab::core
