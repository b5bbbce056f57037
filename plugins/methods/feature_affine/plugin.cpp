#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"

#include <ATen/ops/eye.h>

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "feature-affine";

/// f' = W f + b of each chosen side; W = 1 and b = 0 at the start.
std::unique_ptr<Adapter> make_feature_affine(const Options& options,
                                             const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  const std::int64_t width = backbone.shape().embed_dim;
  const at::Device device = device_of(backbone);
  const at::Tensor identity = at::eye(width, at::TensorOptions(at::kFloat).device(device));
  BackboneChanges changes;
  ParameterList parameters(device);
  for (const TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape())) {
    const std::string prefix = std::string(tower.name) + ".";
    FeatureAdapter map;
    map.down = identity;
    map.up = parameters.add(prefix + "weight", identity.clone());
    map.up_bias = parameters.add(prefix + "bias", fp32_zeros({width}));
    map.nonlinearity = Nonlinearity::none;
    map.activate_output = false;
    map.ratio = 1.0;
    (changes.*tower.changes).feature_adapters.push_back(map);
  }
  return make_function_adapter(parameters.take(),
                               [changes](const ChangeRequest& /*request*/) { return changes; });
}

constexpr OptionSpec kOptions[] = {
    {.name = "towers",
     .type = OptionType::choice,
     .default_value = "image",
     .help = "towers whose features are mapped",
     .choices = "both|image|text"},
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "an affine map of the image feature, of the class features, or of both",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 1e-3,
                  .weight_decay = 0.0,
                  .momentum = 0.0,
                  .source = "chosen: no publication trains it alone"},
     .composable = true,
     .make = make_function_method<kName, make_feature_affine>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
