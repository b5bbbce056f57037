#pragma once

#include "petlab/study/search.hpp"
#include "sample_records.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

/// A small study that searches, and results of its trials, for tests.
namespace petlab::study::sample {

/// The plugins of the project; loaded once.
const PluginRegistry& plugins();

/// The study "small", seeds 3 and 4, with the rows zero-shot, coop (learning rate 0.01) and mmap,
/// and `search` behind them, from the 19th line of search_test.ini on.
Protocol protocol(const std::string& search, const std::vector<Setting>& settings = {});

/// A share of the images is set aside for the search.
const std::vector<Setting>& development();

/// What the trials of a row try.
std::vector<results::NamedValues> values_of(const Search& search, std::size_t row);

/// Puts runs of the trials of `search` into the store; accuracies as of Trials. Returns their plan.
Plan record_trials(results::RunStore& store, const Search& search,
                   const std::vector<std::vector<double>>& accuracies);

/// A store in which the trials of `search` have these accuracies, a trial a line and a seed each;
/// below 0 stands a failed run, above 1 one that was not run.
class Trials {
 public:
  Trials(const Search& search, const std::vector<std::vector<double>>& accuracies);

  [[nodiscard]] SearchOutcome choose(const Protocol& of, const Search& search) const;
  [[nodiscard]] std::optional<Search> extend(const Protocol& of, const Search& search) const;

 private:
  results::sample::TemporaryFolder folder_;
  results::RunStore store_;
  Plan plan_;
};

}  // namespace petlab::study::sample
