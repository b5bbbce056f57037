#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/bincount.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eq.h>

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kTip[] = "tip-adapter";
constexpr char kTipF[] = "tip-adapter-f";

/// The remembered examples of all tasks of the adapter. An example counts for a task where the
/// task has a class of its name, one part in as many as tasks of the adapter have that class: the
/// votes for a class are the mean of the tasks', and do not grow with how many share the adapter.
struct Cache {
  at::Tensor keys;                 ///< [n_examples, embed_dim], unit rows
  std::vector<at::Tensor> values;  ///< votes in each task: [n_examples, n_classes of the task]
};

Cache remember(const AdapterContext& context) {
  const ClassUnion classes(context.tasks());
  std::vector<at::Tensor> features;
  std::vector<at::Tensor> names;
  for (std::size_t task = 0; task < context.tasks().size(); ++task) {
    const LabelledFeatures examples = context.training_features(static_cast<std::int64_t>(task));
    features.push_back(examples.features);
    names.push_back(classes.rows_of_task[task].index_select(0, examples.labels.to(at::kCPU)));
  }
  Cache cache{.keys = at::cat(features), .values = {}};
  const at::Tensor name = at::cat(names).unsqueeze(1);
  const at::Tensor holders = at::bincount(at::cat(classes.rows_of_task));  // [n different classes]
  for (const at::Tensor& rows : classes.rows_of_task) {
    const at::Tensor votes = at::eq(name, rows.unsqueeze(0)).to(at::kFloat) /
                             holders.index_select(0, rows).to(at::kFloat);
    cache.values.push_back(votes.to(cache.keys.device()));
  }
  return cache;
}

template <bool kTrainKeys>
std::unique_ptr<Adapter> make_tip(const Options& options, const AdapterContext& context) {
  Cache cache = remember(context);
  ParameterList parameters(device_of(context.backbone()));
  if (kTrainKeys) cache.keys = parameters.add("keys", cache.keys);
  return make_function_adapter(
      parameters.take(), [cache, alpha = options.real("alpha"),
                          beta = options.real("beta")](const ChangeRequest& request) {
        BackboneChanges changes;
        changes.caches.push_back({.keys = cache.keys,
                                  .values = cache.values.at(static_cast<std::size_t>(request.task)),
                                  .alpha = alpha,
                                  .beta = beta});
        return changes;
      });
}

// Defaults: where the repository @d0e2d6f starts on ImageNet and Oxford-Pets; on other data sets it
// starts from alpha 2 or 5. It searches both afterwards.
constexpr OptionSpec kOptions[] = {
    {.name = "alpha",
     .type = OptionType::real,
     .default_value = "1.17",
     .help = "weight of the cache's logits",
     .minimum = 0},
    {.name = "beta",
     .type = OptionType::real,
     .default_value = "1",
     .help = "sharpness of the similarity to an example",
     .minimum = 0},
    kTemplateOption,
};

PublishedBudget tip_adapter_f_budget(std::int64_t /*shots*/) {
  return {.epochs = 20, .batch = 256, .schedule_interval = "step"};
}

constexpr MethodEntry kMethods[] = {
    {.name = kTip,
     .summary = "adds votes of similar training images to zero-shot; trains nothing (Tip-Adapter)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd", .learning_rate = 0.0, .source = "nothing is trained"},
     .composable = true,
     .task_dependent = true,
     .make = make_function_method<kTip, make_tip<false>>},
    {.name = kTipF,
     .summary = "Tip-Adapter with trained keys (Tip-Adapter-F)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 1e-3,
                  .weight_decay = 1e-2,
                  .momentum = 0.0,
                  .epsilon = 1e-4,
                  .source = "Tip-Adapter repository @d0e2d6f, main.py (AdamW's own decay)",
                  .budget = tip_adapter_f_budget},
     .composable = true,
     .task_dependent = true,
     .make = make_function_method<kTipF, make_tip<true>>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
