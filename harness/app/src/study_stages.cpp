#include "study_stages.hpp"

#include "follow_up_stage.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "petlab/results/study_name.hpp"
#include "petlab/study/left_out.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <iterator>
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
  if (const std::size_t rungs = results::rung_of(search.study); rungs > 0)
    text += " in " + std::to_string(rungs) + (rungs == 1 ? " rung, " : " rungs, ") +
            std::to_string(search.trial_runs) + " runs";
  return text;
}

std::vector<study::Protocol> each_study(const std::vector<study::Protocol>& protocols) {
  std::vector<study::Protocol> all;
  for (const study::Protocol& protocol : protocols)
    for (study::Protocol& one : study::left_out_studies(protocol))
      all.push_back(std::move(one));
  return all;
}

}  // namespace

StudyStages::StudyStages(std::vector<study::Protocol> protocols, const Parsed& options,
                         const study::PluginRegistry& plugins)
    : protocols_(each_study(protocols)), options_(options), plugins_(plugins) {
  for (const study::Protocol& protocol : protocols_) {
    stages_.emplace_back();
    if (protocol.search) stages_.back().push_back(prepare(study::plan_search(protocol, plugins)));
  }
  (void)extend();
}

StudyStages::Stage StudyStages::prepare(const study::Search& search) const {
  return {search, prepare_protocol(search.protocol, options_, plugins_)};
}

std::vector<PreparedStudy> StudyStages::trials() const {
  std::vector<PreparedStudy> trials;
  for (const std::vector<Stage>& of_study : stages_)
    for (const Stage& stage : of_study)
      trials.push_back(stage.trials);
  return trials;
}

bool StudyStages::extend_grid(const study::Protocol& protocol, Stage& stage) const {
  bool has_grown = false;
  // What was added may have been run before, and ask for more.
  while (const auto longer = study::extend_search(protocol, stage.search, stage.trials.plan,
                                                  store_of(stage.trials).get(), plugins_)) {
    stage = prepare(*longer);
    has_grown = true;
  }
  return has_grown;
}

std::vector<PreparedStudy> StudyStages::extend_rungs(const study::Protocol& protocol,
                                                     std::vector<Stage>& rungs) const {
  std::vector<PreparedStudy> grown;
  for (std::size_t i = 0; i < rungs.size(); ++i) {
    const auto next = study::next_rung(protocol, rungs[i].search, rungs[i].trials.plan,
                                       store_of(rungs[i].trials).get());
    if (!next) {
      rungs.erase(rungs.begin() + static_cast<std::ptrdiff_t>(i) + 1, rungs.end());
      break;
    }
    if (i + 1 < rungs.size() && rungs[i + 1].search.trials == next->trials) continue;
    if (i + 1 < rungs.size())
      rungs[i + 1] = prepare(*next);
    else
      rungs.push_back(prepare(*next));
    grown.push_back(rungs[i + 1].trials);
  }
  return grown;
}

std::vector<PreparedStudy> StudyStages::extend() {
  std::vector<PreparedStudy> grown;
  for (std::size_t i = 0; i < protocols_.size(); ++i) {
    if (stages_[i].empty()) continue;
    if (extend_grid(protocols_[i], stages_[i].front())) grown.push_back(stages_[i].front().trials);
    for (PreparedStudy& rung : extend_rungs(protocols_[i], stages_[i]))
      grown.push_back(std::move(rung));
  }
  return grown;
}

StudyStages::Second StudyStages::second() const {
  Second result;
  for (std::size_t i = 0; i < protocols_.size(); ++i) {
    const study::Protocol& protocol = protocols_[i];
    if (!protocol.search) {
      result.studies.push_back(prepare_protocol(protocol, options_, plugins_));
      continue;
    }
    std::vector<study::PlannedSearch> rungs;
    for (const Stage& stage : stages_[i])
      rungs.push_back({stage.search, stage.trials.plan});
    const PreparedStudy& trials = stages_[i].back().trials;
    study::SearchOutcome outcome = study::choose_settings(protocol, rungs, store_of(trials).get());
    const std::string rung = study::rung_text(protocol, stages_[i].back().search);
    for (const std::string& row : outcome.waiting)
      if (is_wanted(row, options_))
        result.remarks.push_back(protocol.name + ": row " + row + " waits for its search, " +
                                 trials.protocol.name + (rung.empty() ? "" : " (" + rung + ")"));
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
  std::vector<PreparedStudy> studies = trials();
  result.studies.insert(result.studies.begin(), std::make_move_iterator(studies.begin()),
                        std::make_move_iterator(studies.end()));
  return result;
}

void print_searches(const PreparedStudy& study) {
  for (const results::SearchRecord& search : study.plan.study.searches)
    std::cout << "Chosen for row "
              << study.protocol.rows.at(static_cast<std::size_t>(search.row_index)).label << ": "
              << search_text(search) << "\n";
}

int run_stages(StudyStages& stages, const Parsed& options, std::vector<PreparedStudy>& studies,
               const Executor& execute) {
  for (std::vector<PreparedStudy> round = stages.trials(); !round.empty();
       round = stages.extend()) {
    const int code = execute(round, options);
    if (code == kInterrupted || code == kStopped) return code;
  }
  StudyStages::Second second = stages.second();
  studies = std::move(second.studies);
  for (const PreparedStudy& study : studies)
    print_searches(study);
  int code = studies.empty() ? kOk : execute(studies, options);
  if (code != kInterrupted && code != kStopped) {
    const int tested = run_follow_ups(studies, options);
    if (code == kOk) code = tested;
  }
  for (const std::string& remark : second.remarks)
    std::cerr << "petlab: " << remark << "\n";
  return code == kOk && !second.remarks.empty() ? static_cast<int>(kRunFailed) : code;
}

}  // namespace petlab::app
