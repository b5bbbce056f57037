#include "petlab/sdk/plugin.hpp"

#include "gradient_grouping.hpp"
#include "petlab/sdk/grouping_support.hpp"

#include <iterator>

namespace {

using petlab::sdk::GroupingEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// MmAP paper: gradient-driven, disjoint groups of similar tasks (verified). Cosine of the gradients
// on a shared prompt, averaged over a warm-up, 2 groups, pair sum: recalled. Length of the warm-up,
// which gradients: unknown. Two defaults differ: pair-sum counts three pairs for 3 + 1 tasks and
// two for 2 + 2, and gradients are compared where the adapter has been trained, not at its start.
constexpr OptionSpec kOptions[] = {
    {.name = "settle-epochs",  // chosen
     .type = OptionType::integer,
     .default_value = "1",
     .help = "epochs in which all tasks train the shared adapter before gradients are compared",
     .minimum = 0,
     .maximum = 1000},
    {.name = "warm-up-epochs",
     .type = OptionType::integer,
     .default_value = "1",
     .help = "epochs after these in which all tasks go on and gradients are compared",
     .minimum = 1,
     .maximum = 1000},
    {.name = "warm-up-steps",
     .type = OptionType::integer,
     .default_value = "0",
     .help = "above 0: steps in which gradients are compared, instead of epochs",
     .minimum = 0,
     .maximum = 1e9},
    {.name = "every",
     .type = OptionType::integer,
     .default_value = "1",
     .help = "gradients are compared at the first step and every so many steps on",
     .minimum = 1,
     .maximum = 1e9},
    {.name = "groups",
     .type = OptionType::integer,
     .default_value = "2",
     .help = "number of groups; 0: the number with the best score",
     .minimum = 0},
    {.name = "objective",
     .type = OptionType::choice,
     .default_value = "pair-sum-centred",  // chosen; pair-sum is recalled
     .help = "what to maximise: plugins/groupings/README.md",
     .choices = petlab::sdk::kObjectiveChoices},
    {.name = "accumulate",
     .type = OptionType::choice,
     .default_value = "mean-of-cosines",
     .help = "average the cosines of all steps, take the cosines of the summed gradients, or "
             "average the cosines of gradients with momentum",
     .choices = "mean-of-cosines|cosine-of-mean|momentum"},
    {.name = "momentum",
     .type = OptionType::real,
     .default_value = "0.9",
     .help = "beta of accumulate = momentum",
     .minimum = 0,
     .maximum = 0.9999},
    {.name = "parameters",
     .type = OptionType::text,
     .default_value = "*",
     .help = "names of the adapter's parameters whose gradients count: patterns with *, between "
             "commas, e.g. text*"},
    {.name = "layer",
     .type = OptionType::integer,
     .default_value = "-1",
     .help = "only this row of the first dimension of those parameters, where that is the layer; "
             "-1: all",
     .minimum = -1,
     .maximum = 1000},
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
