#include "study_stages.hpp"

#include "petlab/results/run_store.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

namespace petlab::app {
namespace {

/// The rows of --rows; all where it is not given.
bool is_wanted(const std::string& row, const Parsed& options) {
  if (!options.has("rows")) return true;
  const std::vector<std::string> chosen = split_list(options.text("rows"));
  return std::find(chosen.begin(), chosen.end(), row) != chosen.end();
}

}  // namespace

StudyStages::StudyStages(std::vector<study::Protocol> protocols, const Parsed& options,
                         const study::PluginRegistry& plugins)
    : protocols_(std::move(protocols)), options_(options), plugins_(plugins) {
  for (const study::Protocol& protocol : protocols_) {
    if (!protocol.search) continue;
    searches_.push_back(study::plan_search(protocol, plugins));
    trials_.push_back(prepare_protocol(searches_.back().protocol, options, plugins));
  }
}

StudyStages::Second StudyStages::second() const {
  Second result;
  std::size_t next = 0;
  for (const study::Protocol& protocol : protocols_) {
    if (!protocol.search) {
      result.studies.push_back(prepare_protocol(protocol, options_, plugins_));
      continue;
    }
    const PreparedStudy& trials = trials_[next];
    std::optional<results::RunStore> store;
    if (std::filesystem::exists(trials.store))
      store.emplace(trials.store, results::OpenMode::read_only);
    study::SearchOutcome outcome =
        study::choose_settings(protocol, searches_[next], trials.plan, store ? &*store : nullptr);
    ++next;
    for (const std::string& row : outcome.waiting)
      if (is_wanted(row, options_))
        result.remarks.push_back(protocol.name + ": row " + row + " waits for its search, " +
                                 trials.protocol.name);
    for (const std::string& row : outcome.failed)
      if (is_wanted(row, options_))
        result.remarks.push_back(protocol.name + ": no trial of row " + row +
                                 " worked, so that it has no settings (" + trials.protocol.name +
                                 ")");
    if (outcome.protocol.rows.empty()) continue;
    PreparedStudy study = prepare_protocol(outcome.protocol, options_, plugins_);
    study.plan.study.searches = std::move(outcome.records);
    result.studies.push_back(std::move(study));
  }
  return result;
}

int run_stages(const StudyStages& stages, const Parsed& options,
               std::vector<PreparedStudy>& studies) {
  if (!stages.trials().empty() && run_missing(stages.trials(), options) == kInterrupted)
    return kInterrupted;
  StudyStages::Second second = stages.second();
  studies = std::move(second.studies);
  const int code = studies.empty() ? kOk : run_missing(studies, options);
  for (const std::string& remark : second.remarks)
    std::cerr << "petlab: " << remark << "\n";
  return code == kOk && !second.remarks.empty() ? static_cast<int>(kRunFailed) : code;
}

}  // namespace petlab::app
