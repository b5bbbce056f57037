#include "petlab/base/numbers.hpp"
#include "petlab/results/identity.hpp"
#include "run/run_execution.hpp"

namespace petlab::engine {
namespace {

/// What was equal for all methods of the study.
results::NamedValues protocol_values(const RunSpec& spec) {
  const Training& t = spec.training;
  results::NamedValues values = {{"dataset", spec.dataset.name}};
  for (const auto& [key, value] : dataset_values(spec.dataset))
    values.emplace_back("dataset." + key, value);
  values.emplace_back("backbone", spec.backbone.filename().string());
  values.emplace_back("train.epochs", std::to_string(t.epochs));
  values.emplace_back("train.batch", std::to_string(t.batch));
  values.emplace_back("train.schedule", to_string(t.schedule));
  values.emplace_back("train.warmup-epochs", std::to_string(t.warmup_epochs));
  values.emplace_back("train.warmup-learning-rate", base::number_text(t.warmup_learning_rate));
  values.emplace_back("train.augmentation", to_string(t.augmentation));
  values.emplace_back("train.task-loss", to_string(t.task_loss));
  values.emplace_back("train.precision", t.precision);
  return values;
}

/// The method's own options and how it is trained.
results::NamedValues option_values(const RunSpec& spec) {
  const Training& t = spec.training;
  results::NamedValues values(spec.method_options.begin(), spec.method_options.end());
  values.emplace_back("train.optimizer", t.optimizer);
  values.emplace_back("train.learning-rate", base::number_text(t.learning_rate));
  values.emplace_back("train.weight-decay", base::number_text(t.weight_decay));
  if (t.optimizer == "sgd") values.emplace_back("train.momentum", base::number_text(t.momentum));
  if (spec.grouping) {
    for (const auto& [name, value] : spec.grouping->options) {
      values.emplace_back("grouping." + name, value);
    }
  }
  return values;
}

}  // namespace

results::RunRecord begin_record(const RunSpec& spec, const RunInfo& info) {
  results::RunRecord record;
  record.identity = info.identity;
  record.method = spec.method;
  record.plugin = info.plugin;
  record.plugin_version = info.plugin_version;
  record.sharing = to_string(spec.sharing);
  record.grouping_strategy = spec.grouping ? spec.grouping->strategy : "";
  record.seed = spec.seed;
  record.options = option_values(spec);
  record.protocol = protocol_values(spec);
  record.backbone = spec.backbone.filename().string();
  record.precision = spec.training.precision == "bf16" ? "bfloat16" : "float32";
  record.environment = info.environment;
  record.started = results::utc_now();
  // The same seed gives the same bits at the same CPU level; on a GPU sums change their order.
  record.determinism = spec.device == "cpu" ? "bit-equal" : "statistical";
  return record;
}

}  // namespace petlab::engine
