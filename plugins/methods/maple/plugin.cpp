#include "petlab/sdk/plugin.hpp"

#include "maple.hpp"

#include <iterator>

namespace {

using petlab::sdk::dassl_budget;
using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// Defaults: MaPLe repository @69bce21, configs/trainers/MaPLe/vit_b16_c2_ep5_batch4_2ctx.yaml and
// trainers/maple.py.
constexpr OptionSpec kOptions[] = {
    {.name = "n-ctx",
     .type = OptionType::integer,
     .default_value = "2",
     .help = "prompt tokens a layer, the same in both towers",
     .minimum = 1,
     .maximum = 1024},
    {.name = "depth",
     .type = OptionType::integer,
     .default_value = "9",
     .help = "prompted layers of both towers, from the first; 0: all",
     .minimum = 0},
    {"init", OptionType::text, "a photo of a",
     "text whose token embeddings the first layer's prompts start from"},
    {"template", OptionType::text, "",
     "text around the class name, {}; empty: \"{}.\" behind the words of init that are not "
     "learned"},
};

constexpr MethodEntry kMethods[] = {
    {.name = "maple",
     .summary = "deep text prompts, and image prompts made from them by linear maps (MaPLe)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.0035,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "MaPLe repository @69bce21, c2_ep5_batch4_2ctx; Dassl defaults",
                  .budget = dassl_budget<5, 4>},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::maple::Maple>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
