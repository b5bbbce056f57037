#include "petlab/sdk/plugin.hpp"

#include "fixed_grouping.hpp"

#include <iterator>
#include <memory>

namespace {

using petlab::sdk::Grouping;
using petlab::sdk::GroupingEntry;
using petlab::sdk::Options;
using petlab::sdk::OptionSpec;
using petlab::sdk::OptionType;

constexpr OptionSpec kGivenOptions[] = {
    {"groups", OptionType::text, "",
     "the groups by task names, e.g. line+solid,flat+emoji; every task once"},
};

template <typename Strategy>
std::unique_ptr<Grouping> make(const Options& /*options*/) {
  return std::make_unique<Strategy>();
}

std::unique_ptr<Grouping> make_given(const Options& options) {
  return std::make_unique<petlab::plugins::fixed_grouping::Given>(options);
}

constexpr GroupingEntry kGroupings[] = {
    {.name = "all-in-one",
     .summary = "one group of all tasks",
     .options = nullptr,
     .option_count = 0,
     .make = make<petlab::plugins::fixed_grouping::AllInOne>},
    {.name = "one-each",
     .summary = "a group for each task",
     .options = nullptr,
     .option_count = 0,
     .make = make<petlab::plugins::fixed_grouping::OneEach>},
    {.name = "given",
     .summary = "groups named by hand",
     .options = kGivenOptions,
     .option_count = std::size(kGivenOptions),
     .make = make_given},
};

}  // namespace

PETLAB_GROUPINGS("MIT", kGroupings);
