#pragma once

#include "petlab/results/run_store.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/plugin_loader.hpp"
#include "petlab/study/protocol.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// The search of a study's settings in stages: trials are runs of a study of their own, NAME/search,
// scored on the study's development images, else on images held out of the training part; a grid
// may grow (`edge = extend`) while its trials win at its edge; then each row takes the settings of
// its best trial and trains on all of its training images. Test images decide nothing.
// Successive halving (`strategy = halving`) has a study for each rung, NAME/search/rung-1 and so
// on: its trials are whole trainings of a part of the length, and the best go on to the next.
namespace petlab::study {

/// The settings that one trial puts into a row, e.g. {{"learning-rate", "0.01"}}.
struct Trial {
  std::size_t row = 0;  ///< of the study
  results::NamedValues values;
  std::vector<std::string> numbers = {};  ///< keys of a grid that are numbers: they have edges
  bool is_added = false;                  ///< beyond an edge of the grid
  std::size_t number = 0;                 ///< among its row's, from 1; the same in all rungs

  friend bool operator==(const Trial&, const Trial&) = default;
};

/// Of successive halving.
struct Rung {
  std::size_t candidates = 0;  ///< of each row
  std::int64_t length = 0;  ///< of a trial's training: steps where the study says them, or epochs

  friend bool operator==(const Rung&, const Rung&) = default;
};

/// The first stage; of halving, a rung of it.
struct Search {
  Protocol protocol;             ///< of the trials, without a search of its own
  std::vector<Trial> trials;     ///< trial i is row i of that protocol; those of a row are together
  std::vector<Rung> rungs = {};  ///< of halving: all that there will be; else none
  std::size_t rung = 0;          ///< which of them this is
};

/// The trials of every row that trains, or whose method has a section [search.METHOD]; the same
/// number for each. Random ones are drawn without repetition from the study's first seed and the
/// method's name, so that rows of a method try the same. Throws Error(config) for rows with
/// different numbers of trials, a space that holds too few settings, a relative value of what is no
/// number; of halving, for a training that can't be shorter. `protocol.search` is there.
[[nodiscard]] Search plan_search(const Protocol& protocol, const PluginRegistry& plugins);

/// The same search with trials beyond the edges of the grid, where the study asks for them (`edge =
/// extend`), all trials of a row have been run, and the best has the lowest or highest number that
/// was tried for a key: then the number beyond it, in the ratio of the last two, with its other
/// settings. Nothing where no row gets a trial: the best lies inside, six were added on that side,
/// or the key takes no such number. `trials` and `store` as in choose_settings().
[[nodiscard]] std::optional<Search> extend_search(const Protocol& protocol, const Search& search,
                                                  const Plan& trials,
                                                  const results::RunStore* store,
                                                  const PluginRegistry& plugins);

/// The rung behind `search`: of each row all of whose trials were run the best that worked, in the
/// order of the study, of equal ones the first; it may get more rows later. Nothing behind the last
/// rung, without halving, or where no row has come so far. `trials` and `store` as in
/// choose_settings().
[[nodiscard]] std::optional<Search> next_rung(const Protocol& protocol, const Search& search,
                                              const Plan& trials, const results::RunStore* store);

/// "rung 1 of 2: 6 candidates a row, 1 of 5 epochs"; empty without halving.
[[nodiscard]] std::string rung_text(const Protocol& protocol, const Search& search);

/// True for "coop.trial-3", a row of a search, and "coop".
[[nodiscard]] bool is_trial_of(const std::string& trial, const std::string& row);

/// What came out of it.
struct SearchOutcome {
  /// Of the second stage: rows have the settings found. Rows without an outcome are left out.
  Protocol protocol;
  std::vector<results::SearchRecord> records;  ///< row_index counts the rows of `protocol`
  std::vector<std::string> waiting;            ///< labels of rows with trials that were not run yet
  std::vector<std::string> failed;             ///< labels of rows with no trial that worked
};

/// Reads the trials' accuracies on the images that score them: mean over tasks, then over seeds;
/// the highest wins, of equal ones the first. A trial of which a run failed (a rate that diverges)
/// has lost. `trials` is the plan of search.protocol; without a store nothing was run yet.
[[nodiscard]] SearchOutcome choose_settings(const Protocol& protocol, const Search& search,
                                            const Plan& trials, const results::RunStore* store);

/// A rung with its plan; without halving, the whole search.
struct PlannedSearch {
  const Search& search;
  const Plan& plan;
};

/// The same after halving, among the trials of the last rung. `rungs` are those that next_rung()
/// has found so far, at least the first.
[[nodiscard]] SearchOutcome choose_settings(const Protocol& protocol,
                                            const std::vector<PlannedSearch>& rungs,
                                            const results::RunStore* store);

}  // namespace petlab::study
