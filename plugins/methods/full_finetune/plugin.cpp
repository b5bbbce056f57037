#include "petlab/sdk/plugin.hpp"

#include "full_finetune.hpp"

#include <iterator>

namespace {

using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

constexpr OptionSpec kOptions[] = {
    {.name = "towers",
     .type = OptionType::choice,
     .default_value = "both",
     .help = "towers whose weights are trained, each with its projection",
     .choices = "both|image|text"},
    {"train-logit-scale", OptionType::boolean, "true", "train the temperature of the logits too"},
    {"template", OptionType::text, "a photo of a {}.", "text around the class name, {}"},
};

constexpr MethodEntry kMethods[] = {
    {.name = "full-fine-tuning",
     .summary = "trains a copy of all weights of the backbone",
     .options = kOptions,
     .option_count = std::size(kOptions),
     // Recalled: end-to-end fine-tuning of CLIP (WiSE-FT, FLYP) uses AdamW with 1e-5 to 3e-5 and
     // weight decay 0.1. The values of the MmAP paper's row are unknown.
     .training = {.optimizer = "adamw",
                  .learning_rate = 1e-5,
                  .weight_decay = 0.1,
                  .momentum = 0.0,
                  .source = "recalled: usual for end-to-end fine-tuning of CLIP (WiSE-FT, FLYP)"},
     .composable = false,
     .make = petlab::sdk::make_entry<petlab::sdk::Method,
                                     petlab::plugins::full_finetune::FullFinetune>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
