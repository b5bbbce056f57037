#include "petlab/sdk/plugin.hpp"

#include "zero_shot.hpp"

#include <iterator>
#include <memory>

namespace {

using petlab::sdk::MethodEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

constexpr OptionSpec kOptions[] = {
    // CLIP's general template; two public forks of CoOp use it for Office-Home and DomainNet.
    {"template", OptionType::text, "a photo of a {}.", "text around the class name, {}"},
};

std::unique_ptr<petlab::sdk::Method> make(const petlab::sdk::Options& options) {
  return std::make_unique<petlab::plugins::zero_shot::ZeroShot>(options);
}

constexpr MethodEntry kMethods[] = {
    {.name = "zero-shot",
     .summary = "the frozen backbone with a text template; trains nothing",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .training = {.optimizer = "sgd", .learning_rate = 0.0, .source = "nothing is trained"},
     .composable = true,
     .make = make},
};

}  // namespace

PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION, .licence = "MIT",
              .source_hash = PETLAB_PLUGIN_SOURCE_HASH, .methods = kMethods,
              .method_count = std::size(kMethods), .groupings = nullptr, .grouping_count = 0);
