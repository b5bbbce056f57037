#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"

#include <iterator>
#include <utility>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "ssf";

/// The places of a block, with their names in parameters.
constexpr std::pair<const char*, AffinePlace> kBlockPlaces[] = {
    {"norm1", AffinePlace::norm1},
    {"q", AffinePlace::q},
    {"k", AffinePlace::k},
    {"v", AffinePlace::v},
    {"attention", AffinePlace::attention},
    {"norm2", AffinePlace::norm2},
    {"fc1", AffinePlace::fc1},
    {"mlp", AffinePlace::mlp}};

/// Scales and shifts of one adapter, as they are made.
struct Builder {
  double std;
  at::Generator& generator;
  ParameterList parameters;
  BackboneChanges changes;

  void add(const TowerSite& tower, const std::string& name, std::int64_t layer, AffinePlace place,
           std::int64_t width) {
    const at::Tensor scale =
        parameters.add(name + ".scale", draw_normal({width}, std, generator) + 1.0);
    const at::Tensor shift = parameters.add(name + ".shift", draw_normal({width}, std, generator));
    (changes.*tower.changes)
        .affines.push_back({.layer = layer, .place = place, .scale = scale, .shift = shift});
  }
};

std::unique_ptr<Adapter> make_ssf(const Options& options, const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  Builder build{
      options.real("init-std"), context.generator(), ParameterList(device_of(backbone)), {}};
  for (const TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape())) {
    const std::string prefix = std::string(tower.name) + ".";
    const std::int64_t width = tower.shape->width;
    build.add(tower, prefix + "embeddings", 0, AffinePlace::embeddings, width);
    if (tower.changes == &BackboneChanges::vision)
      build.add(tower, prefix + "pre_norm", 0, AffinePlace::pre_norm, width);
    for (const std::int64_t layer :
         parse_layers(options.text("layers"), tower.shape->layers, "method 'ssf'"))
      for (const auto& [name, place] : kBlockPlaces)
        build.add(tower, layer_name(tower, layer, name), layer, place,
                  place == AffinePlace::fc1 ? tower.shape->mlp_width : width);
    build.add(tower, prefix + "final_norm", 0, AffinePlace::final_norm, width);
  }
  return make_function_adapter(
      build.parameters.take(),
      [changes = build.changes](const ChangeRequest& /*request*/) { return changes; });
}

// Defaults: SSF @e94e0e7, models/vision_transformer.py: behind the patch embedding, both norms, the
// maps of queries, keys and values, the attention, both maps of the MLP and the last norm; scales
// N(1, 0.02^2), shifts N(0, 0.02^2). An image tower, so the text tower is left alone by default.
constexpr OptionSpec kOptions[] = {
    {.name = "init-std",
     .type = OptionType::real,
     .default_value = "0.02",
     .help = "standard deviation of the start; 0 starts as zero-shot",
     .minimum = 0},
    {.name = "towers",
     .type = OptionType::choice,
     .default_value = "image",
     .help = "towers that are adapted",
     .choices = "both|image|text"},
    kLayersOption,
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "scales and shifts the features behind every operation (SSF)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 1e-3,
                  .weight_decay = 0.05,
                  .momentum = 0.0,
                  .source = "SSF repository @e94e0e7, train_scripts/vit/cifar_100/train_ssf.sh"},
     .composable = true,
     .make = make_function_method<kName, make_ssf>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
