#include "petlab/sdk/plugin.hpp"

#include "tag_grouping.hpp"

#include <iterator>
#include <memory>

namespace {

using petlab::sdk::GroupingEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// Fifty et al., "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021, and
// google-research/tag: affinities over the whole training, every 10 steps, the optimizer's own
// learning rate, a task alone scores -1e6.
constexpr OptionSpec kOptions[] = {
    {.name = "warm-up-epochs",
     .type = OptionType::integer,
     .default_value = "0",
     .help = "epochs in which all tasks train one adapter; 0: as many as the run trains",
     .minimum = 0,
     .maximum = 1000},
    {.name = "every",
     .type = OptionType::integer,
     .default_value = "10",
     .help = "affinities are measured at the first step and every so many steps on",
     .minimum = 1,
     .maximum = 1e9},
    {.name = "groups",
     .type = OptionType::integer,
     .default_value = "2",  // as grouping 'gradient'
     .help = "number of groups; 0: the number with the best score",
     .minimum = 0},
    {.name = "look-ahead",
     .type = OptionType::real,
     .default_value = "0",
     .help = "learning rate of the look-ahead step; 0: the run's",
     .minimum = 0,
     .maximum = 1e6},
    {.name = "alone",
     .type = OptionType::choice,
     .default_value = "avoid",
     .help = "score of a task that is alone: less than any company, 0, or its affinity to itself",
     .choices = "avoid|zero|self"},
};

std::unique_ptr<petlab::sdk::Grouping> make(const petlab::sdk::Options& options) {
  return std::make_unique<petlab::plugins::tag_grouping::TagGrouping>(options);
}

constexpr GroupingEntry kGroupings[] = {
    {.name = "tag",
     .summary = "groups tasks whose steps lower each other's losses (look-ahead affinity)",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .make = make},
};

}  // namespace

PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION, .licence = "MIT",
              .source_hash = PETLAB_PLUGIN_SOURCE_HASH, .methods = nullptr, .method_count = 0,
              .groupings = kGroupings, .grouping_count = std::size(kGroupings));
