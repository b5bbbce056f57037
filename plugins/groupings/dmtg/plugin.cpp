#include "petlab/sdk/plugin.hpp"

#include "dmtg_grouping.hpp"

#include <iterator>
#include <memory>

namespace {

using petlab::sdk::GroupingEntry;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

// Gao et al., "DMTG: One-Shot Differentiable Multi-Task Grouping", ICML 2024, and ethanygao/DMTG:
// logits start at 1, temperature 2.5 (CelebA; 4 on Taskonomy), no entropy term. There the logits
// are learned by the network's own Adam at 8e-4 over tens of thousands of steps; here a warm-up has
// a hundred or so, and the rate is petlab's own.
constexpr OptionSpec kOptions[] = {
    {.name = "epochs",
     .type = OptionType::integer,
     .default_value = "0",
     .help = "epochs in which groups are learned; 0: as many as the run trains",
     .minimum = 0,
     .maximum = 1000},
    {.name = "groups",
     .type = OptionType::integer,
     .default_value = "2",  // as grouping 'gradient'
     .help = "number of branches: groups at most, those that end empty are dropped",
     .minimum = 1,
     .maximum = 1000},
    {.name = "temperature",
     .type = OptionType::real,
     .default_value = "2.5",
     .help = "of the Gumbel-softmax: the higher, the more even the weights",
     .minimum = 1e-3,
     .maximum = 1e3},
    {.name = "learning-rate",
     .type = OptionType::real,
     .default_value = "0.05",
     .help = "Adam's, for the logits; the branches have the run's optimizer",
     .minimum = 1e-8,
     .maximum = 100},
    {.name = "entropy-weight",
     .type = OptionType::real,
     .default_value = "0",
     .help = "weight of a loss term that wants each task to be sure of its group",
     .minimum = 0,
     .maximum = 1e6},
};

std::unique_ptr<petlab::sdk::Grouping> make(const petlab::sdk::Options& options) {
  return std::make_unique<petlab::plugins::dmtg_grouping::DmtgGrouping>(options);
}

constexpr GroupingEntry kGroupings[] = {
    {.name = "dmtg",
     .summary = "learns which group each task belongs to, by a Gumbel-softmax over branches",
     .options = kOptions,
     .option_count = std::size(kOptions),
     .make = make},
};

}  // namespace

PETLAB_PLUGIN(.name = PETLAB_PLUGIN_NAME, .version = PETLAB_PLUGIN_VERSION, .licence = "MIT",
              .source_hash = PETLAB_PLUGIN_SOURCE_HASH, .methods = nullptr, .method_count = 0,
              .groupings = kGroupings, .grouping_count = std::size(kGroupings));
