#include "petlab/engine/split_manifest.hpp"

#include "data/domain_labels.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/datasets/dataset_hash.hpp"
#include "petlab/datasets/image_cache.hpp"
#include "petlab/datasets/original_images.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/engine/augmentation.hpp"
#include "petlab/engine/run.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <memory>
#include <utility>

namespace petlab::engine {
namespace {

using nlohmann::json;

json rows_and_labels(const datasets::Domain& domain, const std::vector<std::int64_t>& samples) {
  std::vector<std::int64_t> labels;
  for (const std::int64_t sample : samples)
    labels.push_back(label_in(domain, domain.samples[static_cast<std::size_t>(sample)].label));
  return {{"rows", samples}, {"labels", labels}};
}

json read_sheet(const std::filesystem::path& file, const std::string& hash) {
  const auto refuse = [&](const char* what) {
    throw base::Error(base::ErrorKind::data, "split sheet " + file.string() + what +
                                                 "; start the study again, which writes it");
  };
  std::string text;
  try {
    text = base::read_text_file(file);
  } catch (const base::Error&) {
    refuse(" cannot be read");
  }
  if (base::sha256_hex(text) != hash) refuse(" changed since the study was planned");
  return json::parse(text);
}

LabelledImages pick(const json& sheet, const at::Tensor& images) {
  return {images, sheet.at("rows").get<std::vector<std::int64_t>>(),
          sheet.at("labels").get<std::vector<std::int64_t>>()};
}

}  // namespace

SplitManifest write_split_manifest(const datasets::Dataset& dataset, const datasets::Split& split,
                                   const std::filesystem::path& folder) {
  json train = {{"fingerprint", dataset.fingerprint},
                {"dataset", datasets::dataset_hash(dataset)},
                {"split", split.hash}};
  json test = {{"split", split.hash}};
  for (std::size_t d = 0; d < dataset.domains.size(); ++d) {
    const datasets::Domain& domain = dataset.domains[d];
    std::vector<std::string> classes;
    for (const std::int64_t label : domain.classes)
      classes.push_back(dataset.display_names[static_cast<std::size_t>(label)]);
    json task = rows_and_labels(domain, split.train[d]);
    task["name"] = domain.name;
    task["classes"] = classes;
    task["pictures"] = domain.samples.size();
    train["tasks"].push_back(std::move(task));
    test["tasks"].push_back(rows_and_labels(domain, split.test[d]));
  }
  const std::string train_text = train.dump();
  const std::string test_text = test.dump();
  SplitManifest manifest;
  manifest.train_hash = base::sha256_hex(train_text);
  manifest.test_hash = base::sha256_hex(test_text);
  std::error_code ignored;  // a failure shows when the files are written
  std::filesystem::create_directories(folder, ignored);
  manifest.train = folder / (manifest.train_hash.substr(0, 32) + ".train.json");
  manifest.test = folder / (manifest.test_hash.substr(0, 32) + ".test.json");
  const base::WriteOptions options{.durability = base::Durability::process};
  base::write_file(manifest.train, train_text, options);
  base::write_file(manifest.test, test_text, options);
  return manifest;
}

void read_split_manifest(RunInputs& inputs, const SplitManifest& manifest,
                         const std::filesystem::path& cache_dir, unsigned threads,
                         Augmentation augmentation) {
  const json sheet = read_sheet(manifest.train, manifest.train_hash);
  std::vector<std::int64_t> counts;
  for (const json& task : sheet.at("tasks"))
    counts.push_back(task.at("pictures").get<std::int64_t>());
  const auto fingerprint = sheet.at("fingerprint").get<std::string>();
  std::shared_ptr<const datasets::OriginalImages> originals;
  if (draws_crops(augmentation))
    originals = std::make_shared<const datasets::OriginalImages>(fingerprint, counts, cache_dir);
  const auto size = static_cast<int>(inputs.backbone->preprocessing().image_size);
  const auto cache = std::make_shared<datasets::ImageCache>(
      fingerprint, std::move(counts), size,
      datasets::CacheOptions{
          .directory = cache_dir, .threads = threads, .fit = inputs.backbone->preprocessing().fit});
  sheet.at("split").get_to(inputs.split_hash);
  sheet.at("dataset").get_to(inputs.dataset_hash);
  for (const json& entry : sheet.at("tasks")) {
    const std::size_t domain = inputs.tasks.size();
    LabelledImages train = pick(entry, cache->images(domain));
    if (originals)
      train.original = [originals, domain](std::int64_t row) {
        return originals->decode(domain, row);
      };
    inputs.tasks.push_back({entry.at("name").get<std::string>(),
                            entry.at("classes").get<std::vector<std::string>>(), std::move(train)});
  }
  inputs.load_test = [manifest, cache] {
    std::vector<LabelledImages> test;
    const json labels = read_sheet(manifest.test, manifest.test_hash);
    for (const json& entry : labels.at("tasks"))
      test.push_back(pick(entry, cache->images(test.size())));
    return test;
  };
}

}  // namespace petlab::engine
