#include "petlab/sdk/plugin.hpp"

#include "random_grouping.hpp"

#include <iterator>

namespace {

using petlab::sdk::GroupingEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

constexpr OptionSpec kOptions[] = {
    {.name = "groups",
     .type = OptionType::integer,
     .default_value = "2",  // as grouping 'gradient', whose control this is
     .help = "number of groups; 0: any",
     .minimum = 0},
};

constexpr GroupingEntry kGroupings[] = {
    {.name = "random",
     .summary = "a partition drawn uniformly, another for each seed",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .make = petlab::sdk::make_entry<petlab::sdk::Grouping,
                                     petlab::plugins::random_grouping::RandomGrouping>},
};

}  // namespace

PETLAB_GROUPINGS("MIT", kGroupings);
