#include "facts.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/sdk/error.hpp"
#include "significance.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace petlab::reports {
namespace {

using results::RunRecord;

std::optional<double> seconds_of(const RunRecord& run, std::initializer_list<const char*> phases) {
  std::optional<double> total;
  for (const auto& cost : run.costs) {
    for (const char* phase : phases) {
      if (cost.phase == phase) total = total.value_or(0.0) + cost.seconds;
    }
  }
  return total;
}

void keep_larger(std::optional<std::int64_t>& largest, std::optional<std::int64_t> value) {
  if (value && *value > largest.value_or(0)) largest = value;
}

SeedResult seed_result(const RunRecord& run) {
  SeedResult result;
  result.run = run.identity.hash;
  result.seed = run.seed;
  result.tasks = run.tasks;
  for (const auto& task : run.tasks)
    result.mean_accuracy += task.accuracy();
  result.mean_accuracy /= static_cast<double>(run.tasks.size());
  for (const auto& count : run.parameters)
    result.trainable += count.trainable;
  result.train_seconds = seconds_of(run, {"warm-up", "train"});
  result.evaluate_seconds = seconds_of(run, {"evaluate"});
  result.split = run.split_hash;
  result.epochs = run.epochs;
  result.options = run.options;
  result.environment = run.environment;
  for (const auto& count : run.parameters) {
    if (count.scope != "frozen") result.stored_bytes += count.stored_bytes;
  }
  for (const auto& cost : run.costs) {
    keep_larger(result.peak_host_bytes, cost.peak_host_bytes);
    keep_larger(result.peak_device_bytes, cost.peak_device_bytes);
  }
  result.step_flops = run.step_flops;
  result.image_flops = run.image_flops;
  result.test_evaluations = run.test_evaluations;
  result.resumed = run.resumed;
  result.started = run.started;
  result.finished = run.finished;
  result.trained_hash = run.trained_hash;
  result.determinism = run.determinism;
  return result;
}

std::optional<double> accuracy_of(const SeedResult& seed, const std::string& task) {
  for (const auto& result : seed.tasks) {
    if (result.task == task) return result.accuracy();
  }
  return std::nullopt;
}

// Values of the seeds that have one.
template <class Get>
std::vector<double> values_of(const std::vector<SeedResult>& seeds, Get get) {
  std::vector<double> values;
  for (const SeedResult& seed : seeds) {
    if (const std::optional<double> value = get(seed)) values.push_back(*value);
  }
  return values;
}

std::optional<double> median_of(const std::vector<double>& values) {
  return values.empty() ? std::nullopt : std::optional<double>(median(values));
}

std::optional<double> mean_of(const std::vector<double>& values) {
  return values.empty() ? std::nullopt : std::optional<double>(estimate(values).mean);
}

void summarise(Row& row, const std::vector<std::string>& tasks, std::int64_t backbone_parameters) {
  for (const std::string& task : tasks) {
    row.task_accuracy.push_back(
        mean_of(values_of(row.seeds, [&](const SeedResult& s) { return accuracy_of(s, task); })));
  }
  if (row.seeds.empty()) return;
  row.mean = estimate(values_of(
      row.seeds, [](const SeedResult& s) { return std::optional<double>(s.mean_accuracy); }));
  const auto [low, high] = std::minmax_element(
      row.seeds.begin(), row.seeds.end(),
      [](const SeedResult& a, const SeedResult& b) { return a.trainable < b.trainable; });
  row.trainable = {low->trainable, high->trainable};
  if (backbone_parameters > 0) {
    row.trainable_percent = mean_of(values_of(row.seeds, [&](const SeedResult& s) {
      return std::optional<double>(100.0 * static_cast<double>(s.trainable) /
                                   static_cast<double>(backbone_parameters));
    }));
  }
  row.train_seconds =
      median_of(values_of(row.seeds, [](const SeedResult& s) { return s.train_seconds; }));
  row.evaluate_seconds =
      median_of(values_of(row.seeds, [](const SeedResult& s) { return s.evaluate_seconds; }));
}

[[noreturn]] void throw_unknown_study(const results::RunStore& store, const std::string& study) {
  std::string message = "results store '" + store.path().string() + "' holds no study '" + study;
  const std::vector<std::string> known = store.studies();
  message += known.empty() ? "'; it holds none" : "'; it holds:";
  for (std::size_t i = 0; i < known.size(); ++i)
    message += (i == 0 ? " " : ", ") + known[i];
  throw sdk::Error(sdk::ErrorKind::config, message);
}

Row& row_for(std::map<std::int64_t, Row>& rows, const results::PlannedRun& plan) {
  Row& row = rows[plan.row_index];
  row.label = plan.row_label;
  row.method = plan.method;
  row.sharing = plan.sharing;
  row.grouping = plan.grouping;
  return row;
}

}  // namespace

Report build_report(const results::RunStore& store, const std::string& study) {
  const std::vector<results::StudyRun> planned = store.runs(study);
  auto record = store.study(study);
  if (!record) throw_unknown_study(store, study);

  Report report;
  report.study = study;
  report.protocol = std::move(record->protocol);
  report.searches = std::move(record->searches);
  std::map<std::int64_t, Row> rows;
  std::vector<RunRecord> finished;
  for (const results::StudyRun& state : planned) {
    Row& row = row_for(rows, state.plan);
    ++row.planned;
    std::optional<RunRecord> run;
    if (state.status) run = store.load(state.plan.hash);
    if (!run) {
      row.missing_seeds.push_back(state.plan.seed);
    } else if (run->status == results::RunStatus::failed) {
      ++row.failed;
      report.failures.push_back(
          {row.label, state.plan.seed, run->error_kind, run->error, state.attempts});
    } else {
      row.seeds.push_back(seed_result(*run));
      for (const auto& task : run->tasks) {
        if (std::find(report.tasks.begin(), report.tasks.end(), task.task) == report.tasks.end()) {
          report.tasks.push_back(task.task);
        }
      }
      if (run->grouping) report.groupings.push_back({row.label, state.plan.seed, *run->grouping});
      finished.push_back(*std::move(run));
    }
  }
  report.planned = static_cast<int>(planned.size());
  report.finished = static_cast<int>(finished.size());
  const std::int64_t backbone = finished.empty() ? 0 : finished.front().total_backbone_parameters;
  for (auto& [index, row] : rows) {
    summarise(row, report.tasks, backbone);
    report.rows.push_back(std::move(row));
  }
  add_places(report);
  add_comparisons(report);
  report.splits = splits_of(store, finished);
  report.facts = collect_facts(report, planned, finished);
  report.notes = collect_notes(report, finished);
  add_statistical_notes(report);
  return report;
}

}  // namespace petlab::reports
