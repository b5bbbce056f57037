#include "petlab/study/prepare_data.hpp"

#include "petlab/clip/checkpoint.hpp"
#include "petlab/datasets/dataset_hash.hpp"
#include "petlab/datasets/image_cache.hpp"
#include "petlab/datasets/original_images.hpp"
#include "petlab/engine/augmentation.hpp"
#include "petlab/engine/dataset_choice.hpp"
#include "planned_parts.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace petlab::study {
namespace {

std::function<void(const datasets::CacheProgress&)> report_as(const char* phase,
                                                              engine::Progress& progress) {
  return [phase, &progress, announced = false](const datasets::CacheProgress& now) mutable {
    if (!announced) progress.begin(phase, static_cast<std::int64_t>(now.total));
    announced = true;
    progress.update(static_cast<std::int64_t>(now.done),
                    std::to_string(std::llround(now.images_per_second)) + " images/s");
  };
}

void build_images(const datasets::Dataset& dataset, const clip::Preprocessing& how,
                  const std::filesystem::path& cache_dir, engine::Progress& progress) {
  const datasets::ImageCache built(
      dataset, static_cast<int>(how.image_size),
      {.directory = cache_dir, .progress = report_as("images", progress), .fit = how.fit});
}

bool draws_crops(const std::vector<Job*>& jobs) {
  return std::any_of(jobs.begin(), jobs.end(), [](const Job* job) {
    return engine::draws_crops(job->spec.training.augmentation);
  });
}

}  // namespace

void prepare_data(std::vector<Job>& jobs, results::RunStore& store, engine::Progress& progress) {
  std::map<std::string, std::vector<Job*>> by_data;
  for (Job& job : jobs)
    by_data[pictures_key(job.spec.dataset) + "\n" + job.spec.backbone.string()].push_back(&job);
  for (const auto& [key, members] : by_data) {
    const engine::RunSpec& first = members.front()->spec;
    const datasets::Dataset dataset = engine::open_study_dataset(first.dataset);
    check_unchanged("data set " + first.dataset.root.string(), datasets::dataset_hash(dataset),
                    identity_part(members.front()->identity, "dataset.fingerprint"));
    if (!dataset.class_names_hash.empty())
      check_unchanged("the file of class names " + first.dataset.class_names.string(),
                      dataset.class_names_hash,
                      identity_part(members.front()->identity, "dataset.class-names"));
    build_images(dataset, clip::model_preprocessing(first.backbone), first.cache_dir, progress);
    if (draws_crops(members))
      const datasets::OriginalImages kept(
          dataset,
          {.directory = first.cache_dir, .progress = report_as("original images", progress)});
    std::map<std::string, engine::SplitManifest> of_split;
    for (Job* job : members) {
      const std::string& planned = identity_part(job->identity, "dataset.split");
      const auto [manifest, is_new] = of_split.try_emplace(planned);
      if (is_new) {
        const datasets::Split split =
            engine::study_split(dataset, job->spec.dataset, job->spec.seed);
        check_unchanged("the split", split.hash, planned);
        store.register_split(engine::split_record(dataset, split, job->spec.dataset));
        manifest->second =
            engine::write_split_manifest(dataset, split, job->spec.cache_dir / "splits");
      }
      job->manifest = manifest->second;
    }
  }
}

}  // namespace petlab::study
