#include "petlab/clip/model_hub.hpp"
#include "petlab/engine/setting_table.hpp"
#include "petlab/results/identity.hpp"
#include "run/run_execution.hpp"

#include <string_view>

namespace petlab::engine {

results::NamedValues record_protocol(const RunSpec& spec) {
  results::NamedValues values = {{"dataset", spec.dataset.name}};
  bool backbone_is_there = false;
  for (const SettingEntry& entry : setting_table()) {
    if (entry.scope != SettingScope::study) continue;
    if (!backbone_is_there && std::string_view(entry.section) != "dataset") {
      values.emplace_back("backbone", clip::model_name(spec.backbone));
      backbone_is_there = true;
    }
    if (entry.in_record && entry.is_said(spec)) values.emplace_back(entry.key(), entry.text(spec));
  }
  return values;
}

results::NamedValues record_options(const RunSpec& spec) {
  results::NamedValues values(spec.method_options.begin(), spec.method_options.end());
  for (const SettingEntry& entry : setting_table())
    if (entry.scope == SettingScope::row && entry.in_record && entry.is_said(spec))
      values.emplace_back(entry.key(), entry.text(spec));
  if (spec.grouping)
    for (const auto& [name, value] : spec.grouping->options)
      values.emplace_back("grouping." + name, value);
  return values;
}

results::RunRecord begin_record(const RunSpec& spec, const RunInfo& info) {
  results::RunRecord record;
  record.identity = info.identity;
  record.method = spec.method;
  record.plugin = info.plugin;
  record.plugin_version = info.plugin_version;
  record.sharing = to_string(spec.sharing);
  record.grouping_strategy = spec.grouping ? spec.grouping->strategy : "";
  record.seed = spec.seed;
  record.options = record_options(spec);
  record.protocol = record_protocol(spec);
  record.backbone = clip::model_name(spec.backbone);
  record.precision = spec.training.precision == Precision::bf16 ? "bfloat16" : "float32";
  record.environment = info.environment;
  record.started = results::utc_now();
  // The same seed gives the same bits at the same CPU level; on a GPU sums change their order.
  record.determinism = spec.device == DeviceKind::cpu ? "bit-equal" : "statistical";
  return record;
}

}  // namespace petlab::engine
