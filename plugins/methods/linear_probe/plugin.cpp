#include "petlab/sdk/plugin.hpp"

#include "logistic_regression.hpp"
#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/index_select.h>

#include <cmath>
#include <iterator>

namespace {

using namespace petlab::sdk;

namespace linear_probe = petlab::plugins::linear_probe;

constexpr char kName[] = "linear-probe";
constexpr char kFittedName[] = "logistic-regression";

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

/// The classifier of the classes, fitted to the training features of the tasks. Of a backbone
/// without values, whose parameters are only counted, it has none either.
linear_probe::Classifier fitted(const Options& options, const AdapterContext& context,
                                const ClassUnion& classes, double scale) {
  const auto n_classes = static_cast<std::int64_t>(classes.names.size());
  const BackboneView& backbone = context.backbone();
  if (device_of(backbone).is_meta())
    return {fp32_zeros({n_classes, backbone.shape().embed_dim}), fp32_zeros({n_classes})};
  std::vector<linear_probe::Examples> tasks;
  for (std::size_t task = 0; task < classes.rows_of_task.size(); ++task) {
    const LabelledFeatures known = context.training_features(static_cast<std::int64_t>(task));
    tasks.push_back({known.features.to(at::kCPU, at::kDouble) * scale, known.labels.to(at::kCPU),
                     classes.rows_of_task[task]});
  }
  return linear_probe::fit(tasks, n_classes, options.real("c"), options.integer("max-steps"));
}

/// Fitted when it is made.
std::unique_ptr<Adapter> make_fitted_probe(const Options& options, const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  ClassUnion classes(context.tasks());
  const double given = options.real("feature-scale");
  const double scale =
      given > 0 ? given : std::sqrt(static_cast<double>(backbone.shape().embed_dim));
  const linear_probe::Classifier found = fitted(options, context, classes, scale);
  const at::Device device = device_of(backbone);
  ParameterList parameters(device);
  const at::Tensor weight = parameters.add("weight", found.weight.to(at::kFloat));
  const at::Tensor bias = parameters.add("bias", found.bias.to(at::kFloat));
  std::vector<at::Tensor> rows_of_task;
  for (const at::Tensor& rows : classes.rows_of_task)
    rows_of_task.push_back(rows.to(device));
  return make_function_adapter(parameters.take(), [=](const ChangeRequest& request) {
    const at::Tensor& rows = rows_of_task.at(static_cast<std::size_t>(request.task));
    BackboneChanges changes;
    changes.head = ClassHead{.weight = weight.index_select(0, rows),
                             .bias = bias.index_select(0, rows),
                             .scale = scale,
                             .unit_features = true};
    return changes;
  });
}

constexpr OptionSpec kFittedOptions[] = {
    {.name = "c",
     .type = OptionType::real,
     .default_value = "0.316",
     .help = "C of the logistic regression: the larger, the weaker its regularisation",
     .minimum = 1e-9},
    {.name = "feature-scale",
     .type = OptionType::real,
     .default_value = "0",
     .help = "length of the image feature; 0: root of its width",
     .minimum = 0},
    {.name = "max-steps",
     .type = OptionType::integer,
     .default_value = "1000",
     .help = "steps of L-BFGS at most",
     .minimum = 1,
     .maximum = 1000000},
    kTemplateOption,
};

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
     .summary = "a cosine classifier on the frozen image features, started from the texts",
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
    {.name = kFittedName,
     .summary = "logistic regression on the frozen image features, fitted by L-BFGS (CLIP)",
     .options = kFittedOptions,
     .option_count = std::size(kFittedOptions),
     // Its parameters are where they belong before the first step.
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.0,
                  .weight_decay = 0.0,
                  .momentum = 0.0,
                  .source = "CLIP repository's README: LogisticRegression(C=0.316, max_iter=1000)"},
     .composable = false,
     .task_dependent = true,
     .make = make_function_method<kFittedName, make_fitted_probe>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
