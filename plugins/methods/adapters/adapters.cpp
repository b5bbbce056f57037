#include "adapters.hpp"

#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/full.h>

namespace petlab::plugins::adapters {
namespace {

const char* site_name(sdk::BottleneckSite site) {
  using Site = sdk::BottleneckSite;
  return site == Site::after_attention || site == Site::parallel_attention ? "attention" : "mlp";
}

std::int64_t hidden_width(const char* method, const sdk::Options& options, std::int64_t width) {
  const std::int64_t given = options.integer("n-hidden");
  const std::int64_t hidden = given > 0 ? given : width / options.integer("reduction");
  if (hidden == 0)
    throw sdk::Error(sdk::ErrorKind::config,
                     std::string("method '") + method + "': option 'reduction' is " +
                         std::to_string(options.integer("reduction")) +
                         ", expected at most the width of the tower, " + std::to_string(width));
  return hidden;
}

}  // namespace

std::unique_ptr<sdk::Adapter> make_bottlenecks(const char* method,
                                               const std::vector<sdk::BottleneckSite>& sites,
                                               const sdk::Options& options,
                                               const sdk::AdapterContext& context) {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const bool zero = options.text("init") == "zero";
  const double std = options.real("init-std");
  sdk::BackboneChanges changes;
  sdk::ParameterList parameters(sdk::device_of(backbone));
  for (const sdk::TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape())) {
    const std::int64_t width = tower.shape->width;
    const std::int64_t hidden = hidden_width(method, options, width);
    for (const std::int64_t layer : sdk::parse_layers(options.text("layers"), tower.shape->layers,
                                                      std::string("method '") + method + "'"))
      for (const sdk::BottleneckSite site : sites) {
        const auto add = [&](const char* what, const at::Tensor& value) {
          return parameters.add(layer_name(tower, layer, std::string(site_name(site)) + "." + what),
                                value);
        };
        sdk::Bottleneck module;
        module.layer = layer;
        module.site = site;
        module.nonlinearity = sdk::parse_nonlinearity(options.text("activation"));
        if (options.boolean("norm")) {
          module.norm_weight = add("norm_weight", sdk::fp32_ones({width}));
          module.norm_bias = add("norm_bias", sdk::fp32_zeros({width}));
        }
        module.down = add("down", zero ? sdk::draw_linear({hidden, width}, generator)
                                       : sdk::draw_normal({hidden, width}, std, generator));
        module.down_bias = add("down_bias", sdk::fp32_zeros({hidden}));
        module.up = add("up", zero ? sdk::fp32_zeros({width, hidden})
                                   : sdk::draw_normal({width, hidden}, std, generator));
        module.up_bias = add("up_bias", sdk::fp32_zeros({width}));
        const at::Tensor scale = at::full({}, options.real("scale"), at::kFloat);
        if (options.boolean("train-scale"))
          module.scale = add("scale", scale);
        else if (options.real("scale") != 1.0)
          module.scale = scale.to(module.up.device());
        (changes.*tower.changes).bottlenecks.push_back(module);
      }
  }
  return sdk::make_function_adapter(
      parameters.take(), [changes](const sdk::ChangeRequest& /*request*/) { return changes; });
}

}  // namespace petlab::plugins::adapters
