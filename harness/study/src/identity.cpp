#include "petlab/study/identity.hpp"

#include "petlab/base/numbers.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/study/protocol.hpp"

namespace petlab::study {

results::RunIdentity run_identity(const engine::RunSpec& spec, const RunFacts& facts) {
  const engine::Training& t = spec.training;
  results::NamedValues parts = {
      {"method", spec.method},
      {"method.sources", facts.method_sources},
      {"sharing", to_string(spec.sharing)},
      {"seed", std::to_string(spec.seed)},
      {"train.epochs", std::to_string(t.epochs)},
      {"train.batch", std::to_string(t.batch)},
      {"train.optimizer", t.optimizer},
      {"train.learning-rate", base::number_text(t.learning_rate)},
      {"train.weight-decay", base::number_text(t.weight_decay)},
      {"train.momentum", base::number_text(t.momentum)},
      {"train.schedule", to_string(t.schedule)},
      {"train.warmup-epochs", std::to_string(t.warmup_epochs)},
      {"train.warmup-learning-rate", base::number_text(t.warmup_learning_rate)},
      {"train.augmentation", to_string(t.augmentation)},
      {"train.task-loss", to_string(t.task_loss)},
      {"train.precision", t.precision},
      {"train.device", spec.device},
      {"dataset.fingerprint", facts.dataset_fingerprint},
      {"dataset.split", facts.split_hash},
      {"dataset.train-fraction",
       base::number_text(spec.dataset.split == "percent" ? spec.dataset.train_fraction : 0.0)},
      {"dataset.validation-fraction", base::number_text(spec.dataset.validation_fraction)},
      {"backbone.weights", facts.backbone_weights},
      {"backbone.settings", facts.backbone_settings},
      {"host.sources", facts.host_sources},
      {"torch.version", facts.torch_version},
  };
  for (const auto& [name, value] : spec.method_options)
    parts.emplace_back("method.option." + name, value);
  if (spec.grouping) {
    parts.emplace_back("grouping", spec.grouping->strategy);
    parts.emplace_back("grouping.sources", facts.grouping_sources);
    for (const auto& [name, value] : spec.grouping->options)
      parts.emplace_back("grouping.option." + name, value);
  }
  return results::make_identity(std::move(parts));
}

// Both are set for this file alone by CMakeLists.txt, so that a change compiles nothing else again.
std::string host_source_hash() {
  return PETLAB_HOST_SOURCE_HASH;
}
std::string host_source_state() {
  return PETLAB_HOST_SOURCE_STATE;
}
std::string program_version() {
  return PETLAB_VERSION;
}

}  // namespace petlab::study
