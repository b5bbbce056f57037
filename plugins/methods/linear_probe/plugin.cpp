#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/index_select.h>

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "linear-probe";

std::unique_ptr<Adapter> make_linear_probe(const Options& options, const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  ClassUnion classes(context.tasks());
  const at::Device device = device_of(backbone);
  for (at::Tensor& rows : classes.rows_of_task)
    rows = rows.to(device);
  const auto n_classes = static_cast<std::int64_t>(classes.names.size());

  ParameterList parameters(device);
  const at::Tensor weight = parameters.add(
      "weight", options.text("init") == "text"
                    ? class_weights(backbone, {options.text("template")}, classes.names)
                    : draw_linear({n_classes, backbone.shape().embed_dim}, context.generator()));
  const at::Tensor bias =
      options.boolean("bias") ? parameters.add("bias", fp32_zeros({n_classes})) : at::Tensor();
  const double scale = options.real("scale");
  const bool unit = options.boolean("unit-features");
  const auto rows_of_task = classes.rows_of_task;
  return make_function_adapter(parameters.take(), [=](const ChangeRequest& request) {
    const at::Tensor& rows = rows_of_task.at(static_cast<std::size_t>(request.task));
    BackboneChanges changes;
    changes.head = ClassHead{.weight = weight.index_select(0, rows),
                             .bias = bias.defined() ? bias.index_select(0, rows) : at::Tensor(),
                             .scale = scale,
                             .unit_features = unit};
    return changes;
  });
}

constexpr OptionSpec kOptions[] = {
    {.name = "init",
     .type = OptionType::choice,
     .default_value = "text",
     .help = "start of the weights: unit text features of the classes, or U(-b, b), b = 1/sqrt(d)",
     .choices = "text|random"},
    {"bias", OptionType::boolean, "true", "a bias for each class, from 0"},
    {"unit-features", OptionType::boolean, "true", "image features of length 1, or as projected"},
    {.name = "scale",
     .type = OptionType::real,
     .default_value = "0",
     .help = "factor of weight and feature; 0: the backbone's logit scale",
     .minimum = 0},
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "a linear classifier on the frozen image features",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 1e-3,
                  .weight_decay = 0.0,
                  .momentum = 0.0,
                  .source = "as Tip-Adapter-F @d0e2d6f, also weights on the frozen features; "
                            "CLIP's own probe is fitted by L-BFGS"},
     .composable = false,
     .task_dependent = true,
     .make = make_function_method<kName, make_linear_probe>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
