#include "petlab/core/protocol.hpp"
#include "petlab/results/identity.hpp"
#include "run_execution.hpp"

namespace petlab::core {
namespace {

/// What was equal for all methods of the study.
results::NamedValues protocol_values(const RunSpec& spec) {
  const Training& t = spec.training;
  return {{"dataset", spec.dataset.name},
          {"dataset.train-fraction", number_text(spec.dataset.train_fraction)},
          {"dataset.validation-fraction", number_text(spec.dataset.validation_fraction)},
          {"backbone", spec.backbone.filename().string()},
          {"train.epochs", std::to_string(t.epochs)},
          {"train.batch", std::to_string(t.batch)},
          {"train.schedule", to_string(t.schedule)},
          {"train.warmup-epochs", std::to_string(t.warmup_epochs)},
          {"train.warmup-learning-rate", number_text(t.warmup_learning_rate)},
          {"train.augmentation", to_string(t.augmentation)},
          {"train.task-loss", to_string(t.task_loss)},
          {"train.precision", t.precision}};
}

/// The method's own options and how it is trained.
results::NamedValues option_values(const RunSpec& spec) {
  const Training& t = spec.training;
  results::NamedValues values(spec.method_options.begin(), spec.method_options.end());
  values.emplace_back("train.optimizer", t.optimizer);
  values.emplace_back("train.learning-rate", number_text(t.learning_rate));
  values.emplace_back("train.weight-decay", number_text(t.weight_decay));
  if (t.optimizer == "sgd") values.emplace_back("train.momentum", number_text(t.momentum));
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
  // The same seed gives the same bits on the same kind of CPU; on a GPU sums change their order.
  record.determinism = spec.device == "cpu" ? "bit-equal" : "statistical";
  return record;
}

}  // namespace petlab::core
