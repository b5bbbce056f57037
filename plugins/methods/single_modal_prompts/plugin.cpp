#include "petlab/sdk/plugin.hpp"

#include "single_modal_prompts.hpp"

#include <iterator>

namespace {

using petlab::plugins::single_modal_prompts::TextPrompt;
using petlab::plugins::single_modal_prompts::VisionPrompt;
using petlab::sdk::dassl_budget;
using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

constexpr OptionSpec kDepth{.name = "depth",
                            .type = OptionType::integer,
                            .default_value = "0",
                            .help = "prompted layers, from the first; 0: all",
                            .minimum = 0};

// Defaults: MaPLe repository @69bce21, deep language prompting (N_CTX_TEXT 4, "a photo of a").
constexpr OptionSpec kTextOptions[] = {
    {.name = "n-prompt",
     .type = OptionType::integer,
     .default_value = "4",
     .help = "prompt tokens a layer",
     .minimum = 1,
     .maximum = 1024},
    kDepth,
    {"init", OptionType::text, "a photo of a",
     "text whose token embeddings the first layer's prompts start from"},
    {"template", OptionType::text, "",
     "text around the class name, {}; empty: \"{}.\" behind the words of init that are not "
     "learned"},
};

// Length and depth are those of MmAP (recalled there), so that the two can be compared.
constexpr OptionSpec kVisionOptions[] = {
    {.name = "n-prompt",
     .type = OptionType::integer,
     .default_value = "16",
     .help = "prompt tokens a layer; as mmap's option b",
     .minimum = 1,
     .maximum = 1024},
    kDepth,
    {"template", OptionType::text, "a photo of a {}.", "text around the class name, {}"},
};

constexpr MethodEntry kMethods[] = {
    {.name = "text-prompt",
     .summary = "learned tokens at every layer of the text tower alone",
     .options = kTextOptions,
     .option_count = std::size(kTextOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.0025,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "MaPLe repository @69bce21, deep language prompting; Dassl defaults",
                  .budget = dassl_budget<5, 4>},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, TextPrompt>},
    {.name = "vision-prompt",
     .summary = "learned tokens at every layer of the image tower alone, of MmAP's length",
     .options = kVisionOptions,
     .option_count = std::size(kVisionOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.0035,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "as mmap (recalled), so that only the prompts differ"},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, VisionPrompt>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
