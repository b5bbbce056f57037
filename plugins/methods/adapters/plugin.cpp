#include "petlab/sdk/plugin.hpp"

#include "adapters.hpp"
#include "petlab/sdk/module_support.hpp"

#include <iterator>

namespace {

using namespace petlab::sdk;
using petlab::plugins::adapters::make_bottlenecks;
using Site = BottleneckSite;

constexpr char kHoulsby[] = "adapter-houlsby";
constexpr char kPfeiffer[] = "adapter-pfeiffer";
constexpr char kParallel[] = "adapter-parallel";

std::unique_ptr<Adapter> make_houlsby(const Options& options, const AdapterContext& context) {
  return make_bottlenecks(kHoulsby, {Site::after_attention, Site::after_mlp}, options, context);
}

std::unique_ptr<Adapter> make_pfeiffer(const Options& options, const AdapterContext& context) {
  return make_bottlenecks(kPfeiffer, {Site::after_mlp}, options, context);
}

std::unique_ptr<Adapter> make_parallel(const Options& options, const AdapterContext& context) {
  const std::string& place = options.text("place");
  std::vector<Site> sites;
  if (place != "mlp") sites.push_back(Site::parallel_attention);
  if (place != "attention") sites.push_back(Site::parallel_mlp);
  return make_bottlenecks(kParallel, sites, options, context);
}

constexpr OptionSpec n_hidden(const char* value) {
  return {.name = "n-hidden",
          .type = OptionType::integer,
          .default_value = value,
          .help = "width of the bottleneck; 0: the tower's width by reduction",
          .minimum = 0};
}
constexpr OptionSpec reduction(const char* value) {
  return {.name = "reduction",
          .type = OptionType::integer,
          .default_value = value,
          .help = "the bottleneck is this much narrower than the tower, where n-hidden is 0",
          .minimum = 1};
}
constexpr OptionSpec activation(const char* value) {
  return {.name = "activation",
          .type = OptionType::choice,
          .default_value = value,
          .help = "nonlinearity between the two maps",
          .choices = "none|relu|gelu|quick-gelu"};
}
constexpr OptionSpec scale(const char* value) {
  return {"scale", OptionType::real, value, "factor of the module's output"};
}
constexpr OptionSpec kInit{.name = "init",
                           .type = OptionType::choice,
                           .default_value = "zero",
                           .help =
                               "zero: second map 0, starts as zero-shot; normal: both "
                               "N(0, init-std^2)",
                           .choices = "zero|normal"};
constexpr OptionSpec kInitStd{.name = "init-std",
                              .type = OptionType::real,
                              .default_value = "0.01",
                              .help = "standard deviation of init normal (Houlsby: 0.01)",
                              .minimum = 0};
constexpr OptionSpec kTrainScale{"train-scale", OptionType::boolean, "false",
                                 "the factor is trained, too"};
constexpr OptionSpec kNorm{"norm", OptionType::boolean, "false",
                           "a trained layer norm before the first map"};

// Houlsby et al. 2019; reduction 16 as in AdapterHub's configuration (recalled).
constexpr OptionSpec kHoulsbyOptions[] = {
    n_hidden("0"), reduction("16"), activation("gelu"), scale("1"),    kInit,          kInitStd,
    kTrainScale,   kNorm,           kTowersOption,      kLayersOption, kTemplateOption};
// VPT repository @4410440, config.py: Pfeiffer, reduction 8.
constexpr OptionSpec kPfeifferOptions[] = {
    n_hidden("0"), reduction("8"), activation("relu"), scale("1"),    kInit,          kInitStd,
    kTrainScale,   kNorm,          kTowersOption,      kLayersOption, kTemplateOption};
// AdaptFormer: parallel to the MLP, 64 wide, scale 0.1, ReLU, LoRA's start.
constexpr OptionSpec kParallelOptions[] = {{.name = "place",
                                            .type = OptionType::choice,
                                            .default_value = "mlp",
                                            .help = "the branch that the module stands beside",
                                            .choices = "mlp|attention|both"},
                                           n_hidden("64"),
                                           reduction("16"),
                                           activation("relu"),
                                           scale("0.1"),
                                           kInit,
                                           kInitStd,
                                           kTrainScale,
                                           kNorm,
                                           kTowersOption,
                                           kLayersOption,
                                           kTemplateOption};

constexpr TrainingDefaults kTraining{
    .optimizer = "adamw",
    .learning_rate = 1e-3,
    .weight_decay = 1e-2,
    .momentum = 0.0,
    .source =
        "recalled: Houlsby tries 3e-5 to 3e-3 with Adam; one value for the three here, so "
        "that only the place differs"};

constexpr MethodEntry kMethods[] = {
    {.name = kHoulsby,
     .summary = "bottleneck modules behind attention and MLP (Houlsby)",
     .options = kHoulsbyOptions,
     .option_count = std::size(kHoulsbyOptions),
     .training = kTraining,
     .composable = true,
     .make = make_function_method<kHoulsby, make_houlsby>},
    {.name = kPfeiffer,
     .summary = "bottleneck modules behind the MLP (Pfeiffer)",
     .options = kPfeifferOptions,
     .option_count = std::size(kPfeifferOptions),
     .training = kTraining,
     .composable = true,
     .make = make_function_method<kPfeiffer, make_pfeiffer>},
    {.name = kParallel,
     .summary = "bottleneck modules beside the MLP (parallel adapter, AdaptFormer)",
     .options = kParallelOptions,
     .option_count = std::size(kParallelOptions),
     .training = kTraining,
     .composable = true,
     .make = make_function_method<kParallel, make_parallel>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
