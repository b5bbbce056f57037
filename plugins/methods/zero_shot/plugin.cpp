#include "petlab/sdk/plugin.hpp"

#include "zero_shot.hpp"

#include <iterator>

namespace {

using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

constexpr OptionSpec kOptions[] = {
    // CLIP's general template; two public forks of CoOp use it for Office-Home and DomainNet.
    {"template", OptionType::text, "a photo of a {}.", "text around the class name, {}"},
    {"templates", OptionType::text, "",
     "an ensemble instead of the one template: templates between |, or clip-7"},
};

constexpr MethodEntry kMethods[] = {
    {.name = "zero-shot",
     .summary = "the frozen backbone with a text template; trains nothing",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd", .learning_rate = 0.0, .source = "nothing is trained"},
     // An ensemble's class weights are a head, and there is nothing to add to each other.
     .composable = false,
     .task_dependent = true,
     .make = petlab::sdk::make_entry<petlab::sdk::Method, petlab::plugins::zero_shot::ZeroShot>,
     .trait = petlab::sdk::trait::kBaseline},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
