#include "petlab/sdk/plugin.hpp"

#include "cocoop.hpp"

#include <iterator>

namespace {

using petlab::sdk::dassl_budget;
using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// Defaults: CoOp repository @ff61507, configs/trainers/CoCoOp/vit_b16_c4_ep10_batch1_ctxv1.yaml and
// trainers/cocoop.py.
constexpr OptionSpec kOptions[] = {
    {.name = "n-ctx",
     .type = OptionType::integer,
     .default_value = "4",
     .help = "learned context vectors before the class name",
     .minimum = 1,
     .maximum = 1024},
    {"init", OptionType::text, "a photo of a",
     "text whose token embeddings the first vectors start from"},
    {.name = "init-std",
     .type = OptionType::real,
     .default_value = "0.02",
     .help = "standard deviation of the vectors that no text starts",
     .minimum = 0},
    {.name = "reduction",
     .type = OptionType::integer,
     .default_value = "16",
     .help = "width of the image features by hidden units of the meta-net",
     .minimum = 1},
};

constexpr MethodEntry kMethods[] = {
    {.name = "cocoop",
     .summary = "context vectors that follow the image through a small network (CoCoOp)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.002,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "CoOp repository @ff61507, CoCoOp c4_ctxv1; Dassl @c61a1b5 defaults",
                  .budget = dassl_budget<10, 1>},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::cocoop::Cocoop>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
