#include "evaluations.hpp"

#include "petlab/reports/statistics.hpp"
#include "petlab/results/named_values.hpp"

#include <algorithm>
#include <array>
#include <sstream>

namespace petlab::reports {
namespace {

std::optional<double> accuracy_of(const AccuracyByAdapters& tested, std::size_t tasks) {
  if (const auto shared = tested.find(""); shared != tested.end()) return shared->second;
  if (tested.size() != tasks) return std::nullopt;
  double sum = 0.0;
  for (const auto& [task, accuracy] : tested)
    sum += accuracy;
  return sum / static_cast<double>(tested.size());
}

/// Parts of the identity that say what was tested on.
constexpr std::string_view kData = "dataset.";

using RunsByIdentity = std::map<std::string, const SeedResult*>;

RunsByIdentity runs_of(const Report& report) {
  RunsByIdentity runs;
  for (const Row& row : report.rows)
    for (const SeedResult& seed : row.seeds)
      runs[seed.identity.hash] = &seed;
  return runs;
}

// Parts that one of them alone has say what the other cannot differ in: a training setting, the
// adapters.
bool has_conditions_of(const results::NamedValues& run, const results::NamedValues& evaluation) {
  return std::all_of(evaluation.begin(), evaluation.end(), [&](const auto& part) {
    if (part.first.starts_with(kData)) return true;
    const std::string* of_run = results::find_value(run, part.first);
    return of_run == nullptr || *of_run == part.second;
  });
}

// A study says of no task, or of all, whose adapters classify it; people can say it of some.
bool has_adapters_of_a_study(const SeedResult& run, const results::RunRecord& evaluation) {
  const results::NamedValues& parts = evaluation.identity.parts;
  if (results::value_of(parts, "adapters") != run.adapters_hash) return false;
  const std::string task = tested_as(evaluation);
  const std::string* said = results::find_value(parts, "stand-in");
  return said == nullptr || *said == (task.empty() ? "" : "for all: " + task);
}

using Settings = std::map<std::string, std::string>;

// Without what says which images there are, and what is tested later.
void keep_split_settings(Settings& dataset, std::string_view other) {
  constexpr std::array<std::string_view, 9> kOthers = {
      "name",          "root",         "domains",   "lists",   "class-names",
      "other-formats", "cross-domain", "leave-out", "transfer"};
  std::erase_if(dataset, [&](const auto& setting) {
    return setting.first == other ||
           std::find(kOthers.begin(), kOthers.end(), setting.first) != kOthers.end();
  });
}

Settings dataset_settings(const results::NamedValues& recorded) {
  Settings settings;
  for (const auto& [key, value] : recorded)
    if (key.starts_with(kData)) settings.emplace(key.substr(kData.size()), value);
  return settings;
}

Settings dataset_settings(const std::string& protocol) {
  Settings settings;
  std::istringstream lines(protocol);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line;
    const std::size_t sign = line.find(" = ");
    if (section == "[dataset]" && sign != std::string::npos)
      settings.emplace(line.substr(0, sign), line.substr(sign + 3));
  }
  return settings;
}

}  // namespace

void visit_follow_ups(const results::RunStore& store, const Report& report,
                      const std::function<void(const FollowUp&)>& visit) {
  const RunsByIdentity runs = runs_of(report);
  std::map<std::string, results::NamedValues> parts;  // of the runs, which a report does not keep
  for (const std::string& identity : store.evaluations()) {
    const auto evaluation = store.load(identity, results::LoadDetail::without_predictions);
    if (!evaluation || !evaluation->parent) continue;
    const auto run = runs.find(*evaluation->parent);
    if (run == runs.end() || !has_adapters_of_a_study(*run->second, *evaluation)) continue;
    const auto [own, is_new] = parts.try_emplace(run->first);
    if (is_new)
      own->second =
          store.load(run->first, results::LoadDetail::without_predictions).value().identity.parts;
    if (has_conditions_of(own->second, evaluation->identity.parts))
      visit({*evaluation, *run->second, class_names_of(own->second)});
  }
}

std::string transfer_target(const results::RunRecord& evaluation) {
  return results::value_of(evaluation.environment, results::environment::kTransfer);
}

std::string class_names_of(const results::NamedValues& identity_parts) {
  return results::value_of(identity_parts, "dataset.class-names");
}

bool has_split_settings_of(const results::RunRecord& evaluation, const std::string& protocol,
                           std::string_view other) {
  Settings tested = dataset_settings(evaluation.protocol);
  Settings planned = dataset_settings(protocol);
  keep_split_settings(tested, other);
  keep_split_settings(planned, other);
  return tested == planned;
}

std::string tested_as(const results::RunRecord& evaluation) {
  return results::value_of(evaluation.environment, results::environment::kTestedAs);
}

void ColumnTests::add(const results::RunRecord& evaluation) {
  tested_[*evaluation.parent][tested_as(evaluation)] = evaluation.mean_accuracy();
  data_.emplace(evaluation.dataset_hash, class_names_of(evaluation.identity.parts));
  splits_[evaluation.seed].insert(evaluation.split_hash);
}

bool ColumnTests::is_ambiguous() const {
  return data_.size() > 1 || std::any_of(splits_.begin(), splits_.end(),
                                         [](const auto& seed) { return seed.second.size() > 1; });
}

TestedRuns ColumnTests::tested() const {
  return is_ambiguous() ? TestedRuns() : tested_;
}

Note ambiguous_tests_note(const std::string& what, const std::string& tested_on) {
  return Note("No accuracy is shown on " + what + ": the runs were tested on " + tested_on +
              ", by petlab evaluate or another study, and nothing in the store says which test is "
              "this study's. Run the study with a store of its own.");
}

std::vector<std::pair<std::uint64_t, double>> tested_seeds(const Row& row, const TestedRuns& tested,
                                                           std::size_t tasks) {
  std::vector<std::pair<std::uint64_t, double>> seeds;
  for (const SeedResult& seed : row.seeds) {
    const auto found = tested.find(seed.identity.hash);
    if (found == tested.end()) continue;
    if (const auto accuracy = accuracy_of(found->second, tasks))
      seeds.emplace_back(seed.seed, *accuracy);
  }
  return seeds;
}

std::optional<Estimate> over_seeds(const Row& row,
                                   const std::vector<std::pair<std::uint64_t, double>>& tested) {
  if (tested.empty() || tested.size() != row.seeds.size()) return std::nullopt;
  std::vector<double> accuracies;
  for (const auto& [seed, accuracy] : tested)
    accuracies.push_back(accuracy);
  return estimate(accuracies);
}

}  // namespace petlab::reports
