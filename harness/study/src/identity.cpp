#include "petlab/study/identity.hpp"

#include "petlab/engine/setting_table.hpp"
#include "petlab/results/identity.hpp"

namespace petlab::study {

results::RunIdentity run_identity(const engine::RunSpec& spec, const RunFacts& facts) {
  results::NamedValues parts = {
      {"method", spec.method},
      {"method.sources", facts.method_sources},
      {"sharing", to_string(spec.sharing)},
      {"seed", std::to_string(spec.seed)},
      {"dataset.fingerprint", facts.dataset_fingerprint},
      {"dataset.split", facts.split_hash},
      {"backbone.weights", facts.backbone_weights},
      {"backbone.settings", facts.backbone_settings},
      {"host.sources", facts.host_sources},
      {"torch.version", facts.torch_version},
  };
  for (const engine::SettingEntry& entry : engine::setting_table()) {
    if (!entry.in_identity) continue;
    const bool has_meaning =
        entry.identity_otherwise == nullptr || entry.applies == nullptr || entry.applies(spec);
    parts.emplace_back(entry.key(), has_meaning ? entry.text(spec) : entry.identity_otherwise);
  }
  // Absent where nothing was said: such runs keep their identity.
  if (!facts.class_names.empty()) parts.emplace_back("dataset.class-names", facts.class_names);
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
