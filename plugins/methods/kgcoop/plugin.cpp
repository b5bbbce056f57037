#include "petlab/sdk/plugin.hpp"

#include "kgcoop.hpp"

#include <iterator>

namespace {

using petlab::sdk::dassl_budget;
using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// Defaults: KgCoOp repository @c43ccc3, scripts/run.sh and base2new_train.sh (4 tokens, weight 8),
// configs/trainers/KgCoOp/vit_b16_ep100_ctxv1.yaml and trainers/kgcoop.py.
constexpr OptionSpec kOptions[] = {
    {.name = "n-ctx",
     .type = OptionType::integer,
     .default_value = "4",
     .help = "learned context vectors",
     .minimum = 1,
     .maximum = 1024},
    {"init", OptionType::text, "a photo of a",
     "text whose token embeddings the first vectors start from"},
    {.name = "init-std",
     .type = OptionType::real,
     .default_value = "0.02",
     .help = "standard deviation of the vectors that no text starts",
     .minimum = 0},
    {"reference", OptionType::text, "a photo of a {}.",
     "hand-crafted text around the class name, {}, that the learned texts stay near"},
    {.name = "weight",
     .type = OptionType::real,
     .default_value = "8",
     .help = "weight of the distance in the loss (lambda)",
     .minimum = 0},
    {.name = "distance",
     .type = OptionType::choice,
     .default_value = "cosine",
     .help = "of unit features: 1 - cosine as in the code, or squared Euclidean as in eq. 5",
     .choices = "cosine|squared"},
};

constexpr MethodEntry kMethods[] = {
    {.name = "kgcoop",
     .summary = "learned context vectors held near a hand-crafted text (KgCoOp)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.002,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "KgCoOp repository @c43ccc3, vit_b16_ep100_ctxv1.yaml; Dassl defaults",
                  .budget = dassl_budget<100, 128>},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::kgcoop::KgCoop>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
