#pragma once

#include "petlab/study/search.hpp"
#include "study_command.hpp"

#include <functional>
#include <string>
#include <vector>

namespace petlab::app {

/// Studies with what has to be run before them: a study with a section [search] takes the settings
/// of its rows from trials, which are a study of their own.
class StudyStages {
 public:
  /// `options` and `plugins` must outlive it. Checks the trials; computes nothing.
  StudyStages(std::vector<study::Protocol> protocols, const Parsed& options,
              const study::PluginRegistry& plugins);

  /// The studies of the trials, with those beyond the edge of a grid that the store asks for now;
  /// none where no study searches.
  [[nodiscard]] std::vector<PreparedStudy> trials() const;

  /// Adds the trials that the store asks for by now (study::extend_search, study::next_rung). Those
  /// of trials() that are new or got some.
  [[nodiscard]] std::vector<PreparedStudy> extend();

  struct Second {
    std::vector<PreparedStudy> studies;  ///< with the settings found, and the record of the search
    /// Sentences about rows that are left out: trials are missing, or none worked.
    std::vector<std::string> remarks;
  };

  /// The studies themselves, by what the store knows of the trials now.
  [[nodiscard]] Second second() const;

  /// The same, with the trials before them.
  [[nodiscard]] Second all() const;

 private:
  std::vector<study::Protocol> protocols_;
  const Parsed& options_;
  const study::PluginRegistry& plugins_;
  struct Stage {
    study::Search search;
    PreparedStudy trials;
  };

  Stage prepare(const study::Search& search) const;
  bool extend_grid(const study::Protocol& protocol, Stage& stage) const;
  std::vector<PreparedStudy> extend_rungs(const study::Protocol& protocol,
                                          std::vector<Stage>& rungs) const;

  /// Of each protocol: its rungs so far, one stage for another search, none without.
  std::vector<std::vector<Stage>> stages_;
};

/// Says on standard output what a study's search chose: a line a row, with the images that scored
/// it and the standard error that they imply. Nothing where it searched nothing.
void print_searches(const PreparedStudy& study);

/// Runs what the store of some studies lacks of them: run_missing(), or by other hosts. The result
/// is the program's exit code.
using Executor =
    std::function<int(const std::vector<PreparedStudy>& studies, const Parsed& options)>;

/// Runs the stages as far as the store lacks them (`execute`): trials, more of them as long as a
/// grid has to grow, then the studies, which `studies` gets. The result is the program's exit code:
/// a trial that failed is no failure, a row without a trial that worked is.
[[nodiscard]] int run_stages(StudyStages& stages, const Parsed& options,
                             std::vector<PreparedStudy>& studies,
                             const Executor& execute = run_missing);

}  // namespace petlab::app
