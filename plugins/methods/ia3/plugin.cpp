#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "ia3";

AffinePlace parse_place(const std::string& item, const std::string& all) {
  if (item == "k") return AffinePlace::k;
  if (item == "v") return AffinePlace::v;
  if (item == "hidden") return AffinePlace::hidden;
  throw Error(ErrorKind::config,
              "method 'ia3': option 'places' is '" + all + "', expected a list of k, v, hidden");
}

std::unique_ptr<Adapter> make_ia3(const Options& options, const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  const std::string& places = options.text("places");
  BackboneChanges changes;
  ParameterList parameters(device_of(backbone));
  for (const TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape()))
    for (const std::int64_t layer :
         parse_layers(options.text("layers"), tower.shape->layers, "method 'ia3'"))
      for (const std::string& item : split_list(places)) {
        const AffinePlace place = parse_place(item, places);
        const std::int64_t width =
            place == AffinePlace::hidden ? tower.shape->mlp_width : tower.shape->width;
        const at::Tensor scale = parameters.add(layer_name(tower, layer, item), fp32_ones({width}));
        (changes.*tower.changes)
            .affines.push_back({.layer = layer, .place = place, .scale = scale, .shift = {}});
      }
  return make_function_adapter(parameters.take(),
                               [changes](const ChangeRequest& /*request*/) { return changes; });
}

// Defaults: T-Few @114dece, configs/ia3.json (keys, values, inner activation of the MLP).
constexpr OptionSpec kOptions[] = {
    {"places", OptionType::text, "k,v,hidden",
     "what is rescaled in a block: keys (k), values (v), activations of the MLP (hidden)"},
    kTowersOption,
    kLayersOption,
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "learned scales of keys, values and the MLP's activations ((IA)^3)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 3e-3,
                  .weight_decay = 0.0,
                  .momentum = 0.0,
                  .source = "T-Few repository @114dece, configs/ia3.json; it uses Adafactor"},
     .composable = true,
     .make = make_function_method<kName, make_ia3>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
