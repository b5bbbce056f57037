#include "petlab/sdk/plugin.hpp"

#include "experts.hpp"
#include "petlab/sdk/module_support.hpp"

#include <iterator>

namespace {

using namespace petlab::sdk;

constexpr char kName[] = "moe-adapter";

constexpr OptionSpec real(const char* name, const char* value, const char* help) {
  return {
      .name = name, .type = OptionType::real, .default_value = value, .help = help, .minimum = 0};
}

// All defaults are our choice: the work that it follows trains whole feed-forward experts of a
// language model.
constexpr OptionSpec kOptions[] = {
    {.name = "n-experts",
     .type = OptionType::integer,
     .default_value = "4",
     .help = "experts at each place",
     .minimum = 1,
     .maximum = 256},
    {.name = "top-k",
     .type = OptionType::integer,
     .default_value = "2",
     .help = "experts that a task uses at each place; 0: all",
     .minimum = 0},
    {.name = "reduction",
     .type = OptionType::integer,
     .default_value = "32",
     .help = "an expert's bottleneck is this much narrower than the tower",
     .minimum = 1},
    {.name = "sites",
     .type = OptionType::choice,
     .default_value = "mlp",
     .help = "behind attention and MLP (both), or behind the MLP alone",
     .choices = "both|mlp"},
    {.name = "activation",
     .type = OptionType::choice,
     .default_value = "gelu",
     .help = "nonlinearity between the two maps",
     .choices = "none|relu|gelu|quick-gelu"},
    real("gate-std", "0.01", "standard deviation of the gates' start"),
    real("noise-std", "0.1", "noise on the gates in training, which tries other experts"),
    real("balance", "0.01", "weight of the penalty on experts of unequal share"),
    kTowersOption,
    kLayersOption,
    kTemplateOption,
};

constexpr MethodEntry kMethods[] = {
    {.name = kName,
     .summary = "adapters as experts, chosen by a gate of each task",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "adamw",
                  .learning_rate = 1e-3,
                  .weight_decay = 1e-2,
                  .momentum = 0.0,
                  .source = "as the single adapters, so that only the experts differ"},
     .composable = true,
     .task_dependent = true,
     .make = make_function_method<kName, petlab::plugins::experts::make_moe_adapter>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
