#include "petlab/core/study_facts.hpp"

#include "descriptor_checks.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/checkpoint.hpp"
#include "petlab/core/run_inputs.hpp"

namespace petlab::core {

StudyFacts measure_facts(const Protocol& protocol) {
  StudyFacts facts;
  const datasets::Dataset dataset = open_study_dataset(protocol.dataset);
  facts.dataset_fingerprint = dataset.fingerprint;
  for (const std::uint64_t seed : protocol.seeds)
    facts.split_hashes[seed] = study_split(dataset, protocol.dataset, seed).hash;
  facts.backbone_weights =
      clip::Backbone::load(protocol.backbone, c10::kCPU,
                           {.allow_unknown_weights = protocol.allow_unknown_weights})
          ->weight_hash();
  facts.backbone_settings = clip::model_settings_hash(protocol.backbone);
  facts.torch_version = loaded_torch_version();
  return facts;
}

}  // namespace petlab::core
