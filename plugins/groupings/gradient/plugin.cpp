#include "petlab/sdk/plugin.hpp"

#include "gradient_grouping.hpp"

#include <iterator>

namespace {

using petlab::sdk::GroupingEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// MmAP paper: gradient-driven, disjoint groups of similar tasks (verified). Cosine of the gradients
// on a shared prompt, averaged over a warm-up, 2 groups: recalled. Length of the warm-up: unknown.
constexpr OptionSpec kOptions[] = {
    {.name = "warm-up-epochs",
     .type = OptionType::integer,
     .default_value = "1",
     .help = "epochs in which all tasks train one adapter and gradients are compared",
     .minimum = 1,
     .maximum = 1000},
    {.name = "groups",
     .type = OptionType::integer,
     .default_value = "2",
     .help = "number of groups; 0: any",
     .minimum = 0},
    {.name = "objective",
     .type = OptionType::choice,
     .default_value = "pair-sum",
     .help = "affinity to maximise: summed over pairs inside groups, or mean over tasks",
     .choices = "pair-sum|task-mean"},
    {.name = "accumulate",
     .type = OptionType::choice,
     .default_value = "mean-of-cosines",
     .help = "average the cosines of all steps, or take the cosines of the summed gradients",
     .choices = "mean-of-cosines|cosine-of-mean"},
};

constexpr GroupingEntry kGroupings[] = {
    {.name = "gradient",
     .summary = "groups tasks whose gradients on a shared adapter point the same way",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .make = petlab::sdk::make_entry<petlab::sdk::Grouping,
                                     petlab::plugins::gradient_grouping::GradientGrouping>},
};

}  // namespace

PETLAB_GROUPINGS("MIT", kGroupings);
