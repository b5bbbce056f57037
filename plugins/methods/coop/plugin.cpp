#include "petlab/sdk/plugin.hpp"

#include "coop.hpp"

#include <iterator>
#include <memory>

namespace {

using petlab::plugins::coop::Contexts;
using petlab::plugins::coop::Coop;
using petlab::sdk::Method;
using petlab::sdk::MethodEntry;
using petlab::sdk::Options;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;
using petlab::sdk::PublishedBudget;
using petlab::sdk::TrainingDefaults;

// Defaults: CoOp repository @ff61507, configs/trainers/CoOp/vit_b16.yaml and trainers/coop.py.
constexpr OptionSpec kCount{.name = "n-ctx",
                            .type = OptionType::integer,
                            .default_value = "16",
                            .help = "learned context vectors",
                            .minimum = 1,
                            .maximum = 1024};
constexpr OptionSpec kPosition{.name = "class-position",
                               .type = OptionType::choice,
                               .default_value = "end",
                               .help = "place of the class name among the vectors",
                               .choices = "end|middle|front"};
constexpr OptionSpec kSpread{.name = "init-std",
                             .type = OptionType::real,
                             .default_value = "0.02",
                             .help = "standard deviation of the vectors that no text starts",
                             .minimum = 0};

constexpr OptionSpec kSharedOptions[] = {
    kCount,
    {"init", OptionType::text, "", "text whose token embeddings the first vectors start from"},
    kSpread,
    kPosition,
};
constexpr OptionSpec kByClassOptions[] = {kCount, kSpread, kPosition};

// The README's commands: rn50_ep50 with one shot, rn50_ep100 with 2 and 4, rn50 (200 epochs) with 8
// and 16; the numbers between are petlab's.
PublishedBudget coop_budget(std::int64_t shots) {
  if (shots == 0) return {};
  return {.epochs = shots == 1 ? 50 : shots <= 4 ? 100 : 200, .batch = 32, .warmup_epochs = 1};
}

constexpr TrainingDefaults kTraining{
    .optimizer = "sgd",
    .learning_rate = 0.002,
    .weight_decay = 5e-4,
    .momentum = 0.9,
    .source = "CoOp repository @ff61507, vit_b16.yaml; Dassl @c61a1b5 defaults",
    .budget = coop_budget};

template <Contexts contexts>
std::unique_ptr<Method> make(const Options& options) {
  return std::make_unique<Coop>(contexts, options);
}

constexpr MethodEntry kMethods[] = {
    {.name = "coop",
     .summary = "learned context vectors at the input of the text tower (CoOp)",
     .options = kSharedOptions,
     .option_count = std::size(kSharedOptions),
     .training = kTraining,
     .composable = true,
     .make = make<Contexts::shared>},
    {.name = "coop-csc",
     .summary = "learned context vectors of each class its own (CoOp, class-specific)",
     .options = kByClassOptions,
     .option_count = std::size(kByClassOptions),
     .training = kTraining,
     .composable = true,
     .task_dependent = true,
     .make = make<Contexts::by_class>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
