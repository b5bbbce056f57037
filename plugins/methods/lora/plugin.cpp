#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"

#include <cmath>
#include <iterator>
#include <utility>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "lora";

/// The maps that option `maps` names, with their names in the options and in parameters.
std::vector<std::pair<std::string, LinearMap>> parse_maps(const std::string& text) {
  constexpr std::pair<const char*, LinearMap> kMaps[] = {
      {"q", LinearMap::q},     {"k", LinearMap::k},     {"v", LinearMap::v},
      {"out", LinearMap::out}, {"fc1", LinearMap::fc1}, {"fc2", LinearMap::fc2}};
  std::vector<std::pair<std::string, LinearMap>> chosen;
  for (const std::string& item : split_list(text)) {
    const auto* const found = std::find_if(std::begin(kMaps), std::end(kMaps),
                                           [&](const auto& map) { return item == map.first; });
    const bool twice = std::any_of(chosen.begin(), chosen.end(),
                                   [&](const auto& map) { return map.first == item; });
    if (found == std::end(kMaps) || twice)
      throw Error(ErrorKind::config, "method 'lora': option 'maps' is '" + text +
                                         "', expected a list of q, k, v, out, fc1, fc2, each at "
                                         "most once");
    chosen.emplace_back(*found);
  }
  return chosen;
}

std::unique_ptr<Adapter> make_lora(const Options& options, const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  const auto maps = parse_maps(options.text("maps"));
  const std::int64_t rank = options.integer("rank");
  const auto divisor = static_cast<double>(rank);
  const double scale =
      options.real("alpha") / (options.text("scaling") == "rank" ? divisor : std::sqrt(divisor));

  BackboneChanges changes;
  ParameterList parameters(device_of(backbone));
  for (const TowerSite& tower : chosen_towers(options.text("towers"), backbone.shape()))
    for (const std::int64_t layer :
         parse_layers(options.text("layers"), tower.shape->layers, "method 'lora'"))
      for (const auto& [name, map] : maps) {
        const std::int64_t width = tower.shape->width;
        const std::int64_t in = map == LinearMap::fc2 ? tower.shape->mlp_width : width;
        const std::int64_t out = map == LinearMap::fc1 ? tower.shape->mlp_width : width;
        LowRank change{.layer = layer, .map = map, .down = {}, .up = {}, .scale = scale};
        change.down = parameters.add(layer_name(tower, layer, name + ".down"),
                                     draw_linear({rank, in}, context.generator()));
        change.up = parameters.add(layer_name(tower, layer, name + ".up"), fp32_zeros({out, rank}));
        (changes.*tower.changes).low_ranks.push_back(change);
      }
  const double dropout = options.real("dropout");
  return make_function_adapter(parameters.take(), [changes, dropout](const ChangeRequest& request) {
    if (!request.training || dropout == 0) return changes;
    BackboneChanges noisy = changes;
    for (TowerChanges* tower : {&noisy.vision, &noisy.text})
      for (LowRank& change : tower->low_ranks) {
        change.dropout = dropout;
        change.noise = request.noise;
      }
    return noisy;
  });
}

// Defaults: CLIP-LoRA @358f0d7 (run_utils.py, loralib/layers.py): q, k and v of both towers, rank
// 2, alpha 1 over sqrt(rank), dropout 0.25.
constexpr OptionSpec kOptions[] = {
    {.name = "rank",
     .type = OptionType::integer,
     .default_value = "2",
     .help = "rank of each change",
     .minimum = 1,
     .maximum = 1024},
    {.name = "alpha",
     .type = OptionType::real,
     .default_value = "1",
     .help = "numerator of the changes' scale",
     .minimum = 0},
    {.name = "scaling",
     .type = OptionType::choice,
     .default_value = "sqrt-rank",
     .help = "denominator of the scale: rank as in LoRA, its root as in CLIP-LoRA's code",
     .choices = "rank|sqrt-rank"},
    {.name = "dropout",
     .type = OptionType::real,
     .default_value = "0.25",
     .help = "share of the map's input that a training step leaves out before the change",
     .minimum = 0,
     .maximum = 0.99},
    {"maps", OptionType::text, "q,k,v", "changed maps of a block: q, k, v, out, fc1, fc2"},
    kTowersOption,
    kLayersOption,
    kTemplateOption,
};

// 500 iterations a shot, a cosine over them to 1e-6, no warm-up.
PublishedBudget clip_lora_budget(std::int64_t shots) {
  return {
      .steps = 500 * shots, .batch = 32, .schedule_interval = "step", .end_learning_rate = 1e-6};
}

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "low-rank changes of the attention's maps in both towers (CLIP-LoRA)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 2e-4,
                  .weight_decay = 1e-2,
                  .momentum = 0.0,
                  .source = "CLIP-LoRA repository @358f0d7, lora.py and run_utils.py",
                  .budget = clip_lora_budget},
     .composable = true,
     .make = make_function_method<kName, make_lora>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
