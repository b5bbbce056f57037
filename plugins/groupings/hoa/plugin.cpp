#include "petlab/sdk/plugin.hpp"

#include "hoa_grouping.hpp"

#include <iterator>
#include <memory>

namespace {

using petlab::sdk::GroupingEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// Standley et al., "Which Tasks Should Be Learned Together in Multi-task Learning?", ICML 2020:
// networks of one and two tasks trained in full and compared on validation data. The share of
// training images that stands in for that data is petlab's own.
constexpr OptionSpec kOptions[] = {
    {.name = "epochs",
     .type = OptionType::integer,
     .default_value = "0",
     .help = "epochs for each task and each pair; 0: as many as the run trains",
     .minimum = 0,
     .maximum = 1000},
    {.name = "held-out",
     .type = OptionType::real,
     .default_value = "0.2",
     .help = "share of each class's training images on which losses are compared; 0: losses of the "
             "training images themselves",
     .minimum = 0,
     .maximum = 0.9},
    {.name = "groups",
     .type = OptionType::integer,
     .default_value = "2",  // as grouping 'gradient'
     .help = "number of groups; 0: the number with the best score",
     .minimum = 0},
};

std::unique_ptr<petlab::sdk::Grouping> make(const petlab::sdk::Options& options) {
  return std::make_unique<petlab::plugins::hoa_grouping::HoaGrouping>(options);
}

constexpr GroupingEntry kGroupings[] = {
    {.name = "hoa",
     .summary = "trains every pair of tasks and groups those that lose least together",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .make = make},
};

}  // namespace

PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION, .licence = "MIT",
              .source_hash = PETLAB_PLUGIN_SOURCE_HASH, .methods = nullptr, .method_count = 0,
              .groupings = kGroupings, .grouping_count = std::size(kGroupings));
