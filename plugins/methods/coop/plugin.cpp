#include "petlab/sdk/plugin.hpp"

#include "coop.hpp"

#include <iterator>

namespace {

using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// Defaults: CoOp repository @ff61507, configs/trainers/CoOp/vit_b16.yaml and trainers/coop.py.
constexpr OptionSpec kOptions[] = {
    {.name = "n-ctx",
     .type = OptionType::integer,
     .default_value = "16",
     .help = "learned context vectors before the class name",
     .minimum = 1,
     .maximum = 1024},
    {"init", OptionType::text, "", "text whose token embeddings the first vectors start from"},
    {.name = "init-std",
     .type = OptionType::real,
     .default_value = "0.02",
     .help = "standard deviation of the vectors that no text starts",
     .minimum = 0},
};

constexpr MethodEntry kMethods[] = {
    {.name = "coop",
     .summary = "learned context vectors at the input of the text tower (CoOp)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.002,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "CoOp repository @ff61507, vit_b16.yaml; Dassl @c61a1b5 defaults"},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::coop::Coop>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
