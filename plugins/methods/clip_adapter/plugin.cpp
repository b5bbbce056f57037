#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "clip-adapter";

std::unique_ptr<Adapter> make_clip_adapter(const Options& options, const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  const std::int64_t width = backbone.shape().embed_dim;
  const std::int64_t hidden = width / options.integer("reduction");
  if (hidden == 0)
    throw Error(ErrorKind::config, "method 'clip-adapter': option 'reduction' is " +
                                       std::to_string(options.integer("reduction")) +
                                       ", expected at most the width of the shared space, " +
                                       std::to_string(width));
  BackboneChanges changes;
  ParameterList parameters(device_of(backbone));
  for (const TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape())) {
    const std::string prefix = std::string(tower.name) + ".";
    FeatureAdapter adapter;
    adapter.down =
        parameters.add(prefix + "down", draw_linear({hidden, width}, context.generator()));
    adapter.up = parameters.add(prefix + "up", draw_linear({width, hidden}, context.generator()));
    adapter.ratio =
        options.real(tower.changes == &BackboneChanges::vision ? "ratio" : "text-ratio");
    (changes.*tower.changes).feature_adapters.push_back(adapter);
  }
  return make_function_adapter(parameters.take(),
                               [changes](const ChangeRequest& /*request*/) { return changes; });
}

// Defaults: CLIP-Adapter @08d07f8, clip_adapter.py (reduction 4, ratio 0.2, ReLU behind both maps,
// no biases, image side only). The paper's text adapter has a ratio of its own.
constexpr OptionSpec kOptions[] = {
    {.name = "reduction",
     .type = OptionType::integer,
     .default_value = "4",
     .help = "the hidden layer is this much narrower than the features",
     .minimum = 1},
    {.name = "ratio",
     .type = OptionType::real,
     .default_value = "0.2",
     .help = "share of the adapter in the image feature",
     .minimum = 0,
     .maximum = 1},
    {.name = "text-ratio",
     .type = OptionType::real,
     .default_value = "0.2",
     .help = "share of the adapter in the text feature, where towers asks for one",
     .minimum = 0,
     .maximum = 1},
    {.name = "towers",
     .type = OptionType::choice,
     .default_value = "image",
     .help = "towers whose features are adapted",
     .choices = "both|image|text"},
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "a small MLP on the image feature, mixed with the feature itself (CLIP-Adapter)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     // The repository's training goes through CoOp's machinery; its own config was not seen.
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.002,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "CoOp's trainer @ff61507, which its code plugs into; rate recalled"},
     .composable = true,
     .make = make_function_method<kName, make_clip_adapter>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
