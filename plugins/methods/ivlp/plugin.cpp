#include "petlab/sdk/plugin.hpp"

#include "ivlp.hpp"

#include <iterator>

namespace {

using petlab::sdk::dassl_budget;
using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

constexpr OptionSpec tokens(const char* name, const char* help) {
  return {.name = name,
          .type = OptionType::integer,
          .default_value = "2",
          .help = help,
          .minimum = 1,
          .maximum = 1024};
}

constexpr OptionSpec depth(const char* name, const char* help) {
  return {
      .name = name, .type = OptionType::integer, .default_value = "0", .help = help, .minimum = 0};
}

// Defaults: MaPLe repository @69bce21, configs/trainers/IVLP/vit_b16_c2_ep5_batch4_2+2ctx.yaml and
// trainers/independentVL.py.
constexpr OptionSpec kOptions[] = {
    tokens("n-text", "prompt tokens a layer of the text tower"),
    tokens("n-vision", "prompt tokens a layer of the image tower"),
    depth("text-depth", "prompted layers of the text tower, from the first; 0: all"),
    depth("vision-depth", "prompted layers of the image tower, from the first; 0: all"),
    {"init", OptionType::text, "a photo of a",
     "text whose token embeddings the first text layer's prompts start from"},
    {"template", OptionType::text, "",
     "text around the class name, {}; empty: \"{}.\" behind the words of init that are not "
     "learned"},
};

constexpr MethodEntry kMethods[] = {
    {.name = "ivlp",
     .summary = "deep prompts in both towers, independent of each other (IVLP)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.0035,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "MaPLe repository @69bce21, IVLP c2_ep5_batch4_2+2ctx; Dassl defaults",
                  .budget = dassl_budget<5, 4>},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::ivlp::Ivlp>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
