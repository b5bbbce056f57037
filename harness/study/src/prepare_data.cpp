#include "petlab/study/prepare_data.hpp"

#include "petlab/clip/checkpoint.hpp"
#include "petlab/datasets/dataset_hash.hpp"
#include "petlab/datasets/image_cache.hpp"
#include "petlab/engine/dataset_choice.hpp"
#include "planned_parts.hpp"

#include <cmath>
#include <map>

namespace petlab::study {
namespace {

void build_images(const datasets::Dataset& dataset, const clip::Preprocessing& how,
                  const std::filesystem::path& cache_dir, engine::Progress& progress) {
  bool announced = false;
  const auto report = [&](const datasets::CacheProgress& now) {
    if (!announced) progress.begin("images", static_cast<std::int64_t>(now.total));
    announced = true;
    progress.update(static_cast<std::int64_t>(now.done),
                    std::to_string(std::llround(now.images_per_second)) + " images/s");
  };
  const datasets::ImageCache built(dataset, static_cast<int>(how.image_size),
                                   {.directory = cache_dir, .progress = report, .fit = how.fit});
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
