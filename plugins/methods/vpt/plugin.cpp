#include "petlab/sdk/plugin.hpp"

#include "vpt.hpp"

#include <iterator>
#include <memory>

namespace {

using petlab::plugins::vpt::Placement;
using petlab::plugins::vpt::Vpt;
using petlab::sdk::dassl_budget;
using petlab::sdk::MethodEntry;
using petlab::sdk::Options;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;
using petlab::sdk::TrainingDefaults;

// Defaults: MaPLe repository @69bce21, its VPT for CLIP (N_CTX_VISION 8, deep in all layers,
// N(0, 0.02), fixed text "a photo of a {}."). xavier, project and dropout (0 by default there too)
// are of VPT's own repository (@4410440).
constexpr OptionSpec kPrompts{.name = "n-prompt",
                              .type = OptionType::integer,
                              .default_value = "8",
                              .help = "prompt tokens a layer",
                              .minimum = 1,
                              .maximum = 1024};
constexpr OptionSpec kInit{.name = "init",
                           .type = OptionType::choice,
                           .default_value = "normal",
                           .help = "start: N(0, 0.02^2), or uniform as in VPT's repository",
                           .choices = "normal|xavier"};
constexpr OptionSpec kProject{
    .name = "project",
    .type = OptionType::integer,
    .default_value = "0",
    .help = "size of the trained vectors that a linear map makes prompts of; 0: no map",
    .minimum = 0,
    .maximum = 65536};
constexpr OptionSpec kDropout{.name = "dropout",
                              .type = OptionType::real,
                              .default_value = "0",
                              .help = "share of prompt values that training sets to 0",
                              .minimum = 0,
                              .maximum = 0.99};
constexpr OptionSpec kTemplate{"template", OptionType::text, "a photo of a {}.",
                               "text around the class name, {}"};

constexpr OptionSpec kDeepOptions[] = {
    kPrompts,
    {.name = "depth",
     .type = OptionType::integer,
     .default_value = "0",
     .help = "prompted layers, from the first; 0: all",
     .minimum = 0},
    kInit,
    kProject,
    kDropout,
    kTemplate,
};
constexpr OptionSpec kShallowOptions[] = {kPrompts, kInit, kProject, kDropout, kTemplate};

constexpr TrainingDefaults kTraining{
    .optimizer = "sgd",
    .learning_rate = 0.0025,
    .weight_decay = 5e-4,
    .momentum = 0.9,
    .source = "MaPLe repository @69bce21, VPT config c2_ep5_batch4_4; Dassl @c61a1b5 defaults",
    .budget = dassl_budget<5, 4>};

template <Placement placement>
std::unique_ptr<petlab::sdk::Method> make(const Options& options) {
  return std::make_unique<Vpt>(placement, options);
}

constexpr MethodEntry kMethods[] = {
    {.name = "vpt-deep",
     .summary = "learned tokens at every layer of the image tower (VPT-deep)",
     .options = kDeepOptions,
     .option_count = std::size(kDeepOptions),
     .training = kTraining,
     .composable = true,
     .make = make<Placement::deep>},
    {.name = "vpt-shallow",
     .summary = "learned tokens at the input of the image tower (VPT-shallow)",
     .options = kShallowOptions,
     .option_count = std::size(kShallowOptions),
     .training = kTraining,
     .composable = true,
     .make = make<Placement::shallow>},
};

}  // namespace

PETLAB_METHODS("MIT", kMethods);
