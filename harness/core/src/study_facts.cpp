#include "petlab/core/study_facts.hpp"

#include "descriptor_checks.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/checkpoint.hpp"
#include "petlab/core/run_inputs.hpp"
#include "petlab/sdk/error.hpp"

#include <filesystem>
#include <string>
#include <system_error>

namespace petlab::core {

namespace {

/// The two places that a study is moved between machines by.
void check_there(const std::filesystem::path& path, const char* what, const char* option,
                 const char* variable, const char* key) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw sdk::Error(sdk::ErrorKind::data, std::string(what) + " " + path.string() +
                                               " does not exist: say where it is with " + option +
                                               ", " + variable + " or " + key);
}

}  // namespace

StudyFacts measure_facts(const Protocol& protocol) {
  check_there(protocol.dataset.root, "data set folder", "--dataset-root DIR", "PETLAB_DATASET_ROOT",
              "root in [dataset]");
  check_there(protocol.backbone, "backbone", "--backbone DIR", "PETLAB_BACKBONE",
              "dir in [backbone]");
  StudyFacts facts;
  const datasets::Dataset dataset = open_study_dataset(protocol.dataset);
  facts.dataset_fingerprint = dataset.fingerprint;
  for (const std::uint64_t seed : protocol.seeds) {
    const datasets::Split split = study_split(dataset, protocol.dataset, seed);
    facts.split_hashes[seed] = split.hash;
    for (const auto& train : split.train)
      facts.train_images[seed] += static_cast<std::int64_t>(train.size());
  }
  facts.backbone_weights =
      clip::Backbone::load(protocol.backbone, c10::kCPU,
                           {.allow_unknown_weights = protocol.allow_unknown_weights})
          ->weight_hash();
  facts.backbone_settings = clip::model_settings_hash(protocol.backbone);
  facts.torch_version = loaded_torch_version();
  return facts;
}

}  // namespace petlab::core
