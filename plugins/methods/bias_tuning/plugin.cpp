#include "petlab/sdk/plugin.hpp"

#include "petlab/sdk/module_support.hpp"

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kBitFit[] = "bitfit";
constexpr char kLayerNorm[] = "layer-norm";

bool in_towers(std::string_view name, std::string_view towers) {
  if (name.starts_with("vision_model.")) return towers != "text";
  return name.starts_with("text_model.") && towers != "image";
}

/// The layer norms of the Hugging Face layout: layer_norm1, pre_layrnorm (so spelt) and so on.
bool is_norm(std::string_view name) {
  return name.find("layer_norm") != name.npos || name.find("layernorm") != name.npos ||
         name.find("layrnorm") != name.npos;
}

std::unique_ptr<Adapter> make_bitfit(const Options& options, const AdapterContext& context) {
  return make_weight_copies(context.backbone(), [&](std::string_view name) {
    if (!name.ends_with(".bias") || !in_towers(name, options.text("towers"))) return false;
    if (options.text("biases") == "query-mlp")
      return name.ends_with("q_proj.bias") || name.ends_with("fc1.bias");
    return options.text("biases") == "all" || !is_norm(name);
  });
}

std::unique_ptr<Adapter> make_layer_norm(const Options& options, const AdapterContext& context) {
  return make_weight_copies(context.backbone(), [&](std::string_view name) {
    const std::string& parts = options.text("parts");
    return is_norm(name) && in_towers(name, options.text("towers")) &&
           (parts == "both" || name.ends_with("." + parts));
  });
}

constexpr OptionSpec kBitFitOptions[] = {
    {.name = "biases",
     .type = OptionType::choice,
     .default_value = "all",
     .help = "all, all but the layer norms' (maps), or BitFit's subset: queries and first map of "
             "the MLP",
     .choices = "all|maps|query-mlp"},
    kTowersOption,
    kTemplateOption,
};

constexpr OptionSpec kLayerNormOptions[] = {
    {.name = "parts",
     .type = OptionType::choice,
     .default_value = "both",
     .help = "what of each layer norm is trained",
     .choices = "both|weight|bias"},
    kTowersOption,
    kTemplateOption,
};

constexpr TrainingDefaults kTraining{
    .optimizer = "adamw",
    .learning_rate = 1e-3,
    .weight_decay = 0.0,
    .momentum = 0.0,
    .source =
        "recalled: BitFit tries 1e-4 to 1e-3 with AdamW; no decay, which would pull copies "
        "away from their start"};

constexpr MethodEntry kMethods[] = {
    {.name = kBitFit,
     .summary = "trains the biases alone",
     .options = kBitFitOptions,
     .option_count = std::size(kBitFitOptions),
     .training = kTraining,
     .composable = false,
     .make = make_function_method<kBitFit, make_bitfit>},
    {.name = kLayerNorm,
     .summary = "trains the layer norms' scales and biases alone",
     .options = kLayerNormOptions,
     .option_count = std::size(kLayerNormOptions),
     .training = kTraining,
     .composable = false,
     .make = make_function_method<kLayerNorm, make_layer_norm>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
