#include "petlab/sdk/plugin.hpp"

#include "promptsrc.hpp"

#include <iterator>

namespace {

using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;
using petlab::sdk::PublishedBudget;

constexpr OptionSpec tokens(const char* name, const char* help) {
  return {.name = name,
          .type = OptionType::integer,
          .default_value = "4",
          .help = help,
          .minimum = 1,
          .maximum = 1024};
}

constexpr OptionSpec depth(const char* name, const char* help) {
  return {
      .name = name, .type = OptionType::integer, .default_value = "0", .help = help, .minimum = 0};
}

constexpr OptionSpec weight(const char* name, const char* value, const char* help) {
  return {
      .name = name, .type = OptionType::real, .default_value = value, .help = help, .minimum = 0};
}

// Defaults: PromptSRC repository @bb95c77, configs/trainers/PromptSRC/
// vit_b16_c2_ep20_batch4_4+4ctx.yaml and trainers/promptsrc.py.
constexpr OptionSpec kOptions[] = {
    tokens("n-text", "prompt tokens a layer of the text tower"),
    tokens("n-vision", "prompt tokens a layer of the image tower"),
    depth("text-depth",
          "prompted layers of the text tower, from the first; 0: three quarters of them"),
    depth("vision-depth",
          "prompted layers of the image tower, from the first; 0: three quarters of them"),
    {"init", OptionType::text, "a photo of a",
     "text whose token embeddings the first text layer's prompts start from"},
    {"template", OptionType::text, "",
     "text around the class name, {}; empty: \"{}.\" behind the words of init that are not "
     "learned"},
    {"templates", OptionType::text, "imagenet-60",
     "texts whose mean frozen features the learned ones stay near: imagenet-60, or texts with {} "
     "between '|'"},
    weight("text-weight", "25", "weight of the texts' L1 distance (lambda_1)"),
    weight("image-weight", "10", "weight of the images' L1 distance (lambda_2)"),
    weight("logits-weight", "1", "weight of the divergence of class scores"),
    {.name = "gpa-mean",
     .type = OptionType::real,
     .default_value = "15",
     .help = "epoch around which the tested prompts are a mean over the epochs"},
    weight("gpa-std", "1", "its spread in epochs; 0: the last epoch's prompts are tested"),
};

// Its few-shot configuration trains for 50 epochs, that of base to new for 20.
PublishedBudget promptsrc_budget(std::int64_t shots) {
  return {.epochs = shots > 0 ? 50 : 20, .batch = 4, .warmup_epochs = 1};
}

constexpr MethodEntry kMethods[] = {
    {.name = "promptsrc",
     .summary = "deep prompts in both towers, regulated by the frozen backbone (PromptSRC)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd",
                  .learning_rate = 0.0025,
                  .weight_decay = 5e-4,
                  .momentum = 0.9,
                  .source = "PromptSRC repository @bb95c77, c2_ep20_batch4_4+4ctx; Dassl defaults",
                  .budget = promptsrc_budget},
     .composable = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::promptsrc::PromptSrc>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
