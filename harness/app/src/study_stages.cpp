#include "study_stages.hpp"

#include "new_classes_stage.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <utility>

namespace petlab::app {
namespace {

/// The rows of --rows; all where it is not given.
bool is_wanted(const std::string& row, const Parsed& options) {
  if (!options.has("rows")) return true;
  const std::vector<std::string> chosen = split_list(options.text("rows"));
  return std::find(chosen.begin(), chosen.end(), row) != chosen.end();
}

/// Null where nothing was run yet.
std::unique_ptr<results::RunStore> store_of(const PreparedStudy& study) {
  if (!results::has_store(study.store)) return nullptr;
  return std::make_unique<results::RunStore>(study.store, results::OpenMode::read_only);
}

/// "280 development images (Art 70, Product 210)".
std::string images_text(const results::SearchRecord& search) {
  std::int64_t sum = 0;
  std::string tasks;
  for (const auto& [task, images] : search.images) {
    sum += images;
    tasks += (tasks.empty() ? "" : ", ") + task + " " + std::to_string(images);
  }
  return std::to_string(sum) + " " + search.scored_on + " images (" + tasks + ")";
}

std::string search_text(const results::SearchRecord& search) {
  std::string text;
  for (const auto& [name, value] : search.chosen) {
    text += (text.empty() ? "" : ", ") + name + " " + value;
    for (const auto& [key, edge] : search.edges)
      if (key == name) text += " (" + edge + " tried)";
  }
  char accuracy[64];
  std::snprintf(accuracy, sizeof accuracy, ": %.2f %%, standard error %.2f points, on ",
                100.0 * search.validation_accuracy, 100.0 * search.standard_error.value_or(0.0));
  text += accuracy + images_text(search) + "; " + std::to_string(search.trials) + " trials";
  if (search.added_trials > 0)
    text += ", " + std::to_string(search.added_trials) + " of them added to the grid";
  return text;
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
  (void)extend();
}

std::vector<PreparedStudy> StudyStages::extend() {
  std::vector<PreparedStudy> grown;
  std::size_t next = 0;
  for (const study::Protocol& protocol : protocols_) {
    if (!protocol.search) continue;
    const std::size_t i = next++;
    bool has_grown = false;
    // What was added may have been run before, and ask for more.
    while (const auto longer = study::extend_search(protocol, searches_[i], trials_[i].plan,
                                                    store_of(trials_[i]).get(), plugins_)) {
      searches_[i] = *longer;
      trials_[i] = prepare_protocol(longer->protocol, options_, plugins_);
      has_grown = true;
    }
    if (has_grown) grown.push_back(trials_[i]);
  }
  return grown;
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
    study::SearchOutcome outcome =
        study::choose_settings(protocol, searches_[next], trials.plan, store_of(trials).get());
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

StudyStages::Second StudyStages::all() const {
  Second result = second();
  result.studies.insert(result.studies.begin(), trials_.begin(), trials_.end());
  return result;
}

void print_searches(const PreparedStudy& study) {
  for (const results::SearchRecord& search : study.plan.study.searches)
    std::cout << "Chosen for row "
              << study.protocol.rows.at(static_cast<std::size_t>(search.row_index)).label << ": "
              << search_text(search) << "\n";
}

int run_stages(StudyStages& stages, const Parsed& options, std::vector<PreparedStudy>& studies,
               Executor execute) {
  for (std::vector<PreparedStudy> round = stages.trials(); !round.empty(); round = stages.extend())
    if (execute(round, options) == kInterrupted) return kInterrupted;
  StudyStages::Second second = stages.second();
  studies = std::move(second.studies);
  for (const PreparedStudy& study : studies)
    print_searches(study);
  int code = studies.empty() ? kOk : execute(studies, options);
  if (code != kInterrupted) {
    const int tested = test_new_classes(studies, options);
    if (code == kOk) code = tested;
  }
  for (const std::string& remark : second.remarks)
    std::cerr << "petlab: " << remark << "\n";
  return code == kOk && !second.remarks.empty() ? static_cast<int>(kRunFailed) : code;
}

}  // namespace petlab::app
