#include "petlab/sdk/plugin.hpp"

#include "random_grouping.hpp"

#include <iterator>
#include <memory>

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

std::unique_ptr<petlab::sdk::Grouping> make(const petlab::sdk::Options& options) {
  return std::make_unique<petlab::plugins::random_grouping::RandomGrouping>(options);
}

constexpr GroupingEntry kGroupings[] = {
    {.name = "random",
     .summary = "a partition drawn uniformly, another for each seed",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .make = make},
};

}  // namespace

PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION, .licence = "MIT",
              .source_hash = PETLAB_PLUGIN_SOURCE_HASH, .methods = nullptr, .method_count = 0,
              .groupings = kGroupings, .grouping_count = std::size(kGroupings));
