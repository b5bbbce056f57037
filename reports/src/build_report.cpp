#include "cross_domain.hpp"
#include "facts.hpp"
#include "left_out.hpp"
#include "measure_list.hpp"
#include "new_classes.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/results/named_values.hpp"
#include "petlab/results/train_size_label.hpp"
#include "protocol_text.hpp"
#include "significance.hpp"
#include "transfer.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

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

// Of the phases that train; nothing where one of them was not counted, or there is none.
std::optional<double> training_flops(const RunRecord& run) {
  std::optional<double> total;
  for (const auto& cost : run.costs) {
    if (cost.phase != "warm-up" && cost.phase != "train") continue;
    if (!cost.flops) return std::nullopt;
    total = total.value_or(0.0) + *cost.flops;
  }
  return total;
}

SeedResult seed_result(RunRecord run) {
  SeedResult result{std::move(run)};
  result.train_seconds = seconds_of(result, {"warm-up", "train"});
  result.evaluate_seconds = seconds_of(result, {"evaluate"});
  result.train_flops = training_flops(result);
  for (const auto& count : result.parameters) {
    if (count.scope != "frozen") result.stored_bytes += count.stored_bytes;
  }
  for (const auto& cost : result.costs) {
    keep_larger(result.peak_host_bytes, cost.peak_host_bytes);
    keep_larger(result.peak_device_bytes, cost.peak_device_bytes);
  }
  result.batch =
      base::parse_number<std::int64_t>(results::value_of(result.protocol, "train.batch"));
  result.has_published_budget = results::value_of(result.protocol, "train.budget") == "published";
  // All runs of a study stand in memory together, so what is said elsewhere goes.
  result.identity.parts = {};
  result.protocol = {};
  result.grouping.reset();
  return result;
}

std::int64_t test_images(const SeedResult& seed) {
  std::int64_t images = 0;
  for (const auto& task : seed.tasks)
    images += task.n_test;
  return images;
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
      row.seeds, [](const SeedResult& s) { return std::optional<double>(s.mean_accuracy()); }));
  const auto [low, high] = std::minmax_element(
      row.seeds.begin(), row.seeds.end(),
      [](const SeedResult& a, const SeedResult& b) { return a.trainable() < b.trainable(); });
  row.trainable = {low->trainable(), high->trainable()};
  if (backbone_parameters > 0) {
    row.trainable_percent = mean_of(values_of(row.seeds, [&](const SeedResult& s) {
      return std::optional<double>(100.0 * static_cast<double>(s.trainable()) /
                                   static_cast<double>(backbone_parameters));
    }));
  }
  row.train_seconds =
      median_of(values_of(row.seeds, [](const SeedResult& s) { return s.train_seconds; }));
  row.evaluate_seconds =
      median_of(values_of(row.seeds, [](const SeedResult& s) { return s.evaluate_seconds; }));
  row.train_flops =
      median_of(values_of(row.seeds, [](const SeedResult& s) { return s.train_flops; }));
  row.step_flops =
      median_of(values_of(row.seeds, [](const SeedResult& s) { return s.step_flops; }));
  row.image_flops =
      median_of(values_of(row.seeds, [](const SeedResult& s) { return s.image_flops; }));
  for (const SeedResult& seed : row.seeds) {
    keep_larger(row.peak_host_bytes, seed.peak_host_bytes);
    keep_larger(row.peak_device_bytes, seed.peak_device_bytes);
  }
}

[[noreturn]] void throw_unknown_study(const results::RunStore& store, const std::string& study) {
  std::string message = "results store '" + store.path().string() + "' holds no study '" + study;
  const std::vector<std::string> known = store.studies();
  message += known.empty() ? "'; it holds none" : "'; it holds:";
  for (std::size_t i = 0; i < known.size(); ++i)
    message += (i == 0 ? " " : ", ") + known[i];
  throw base::Error(base::ErrorKind::config, message);
}

const std::vector<results::TestImage>* images_of(const results::SplitRecord& split,
                                                 const std::string& task) {
  for (const auto& one : split.tasks) {
    if (one.task == task) return &one.test;
  }
  return nullptr;
}

void measure(SeedResult& seed, const RunRecord& run, const results::SplitRecord& split) {
  seed.measures.clear();
  for (const auto& task : run.tasks) {
    const auto* images = images_of(split, task.task);
    seed.measures.push_back(images == nullptr ? std::nullopt
                                              : measure_task(task.predictions, *images));
  }
}

// Which runs keep their predictions: all, or, where that would be too many, the first seed of each
// row as far as the limit allows, which is what a page can hold. The others keep their counts.
std::set<const SeedResult*> kept_predictions(const Report& report, std::int64_t most) {
  std::int64_t images = 0;
  for (const Row& row : report.rows) {
    for (const SeedResult& seed : row.seeds)
      images += test_images(seed);
  }
  const bool all = images <= most;
  std::int64_t room = most;
  std::set<const SeedResult*> kept;
  for (const Row& row : report.rows) {
    for (std::size_t i = 0; i < row.seeds.size(); ++i) {
      if (!all && i > 0) break;
      room -= test_images(row.seeds[i]);
      if (room < 0) return kept;
      kept.insert(&row.seeds[i]);
    }
  }
  return kept;
}

// What the predictions say: of one run after the other, as all of them may not fit into memory.
void read_predictions(const results::RunStore& store, Report& report, std::int64_t most) {
  const std::set<const SeedResult*> kept = kept_predictions(report, most);
  std::multimap<std::string, SeedResult*> wanted;  // rows may share a run
  for (Row& row : report.rows) {
    for (SeedResult& seed : row.seeds)
      wanted.emplace(seed.identity.hash, &seed);
  }
  std::map<std::pair<std::string, std::string>, const results::SplitRecord*> splits;
  for (const results::SplitRecord& split : report.splits)
    splits.emplace(std::pair(split.hash, split.dataset.hash), &split);
  store.visit_runs(report.study, results::LoadDetail::everything,
                   [&](const results::StudyRun& /*state*/, std::optional<RunRecord> run) {
                     if (!run) return;
                     const auto split = splits.find({run->split_hash, run->dataset_hash});
                     const auto [first, last] = wanted.equal_range(run->identity.hash);
                     for (auto seed = first; seed != last; ++seed) {
                       if (split != splits.end()) measure(*seed->second, *run, *split->second);
                       if (kept.count(seed->second) > 0) seed->second->tasks = run->tasks;
                     }
                   });
}

template <class Number>
void extend(std::optional<std::pair<Number, Number>>& range, Number value) {
  range = range ? std::pair(std::min(range->first, value), std::max(range->second, value))
                : std::pair(value, value);
}

// Learning rate, epochs and steps of the training epochs, and the size of their batches.
void add_budget(Row& row) {
  bool counted = true;
  for (const SeedResult& seed : row.seeds) {
    row.has_published_budget = seed.has_published_budget;
    std::int64_t epochs = 0;
    std::int64_t steps = 0;
    double rate = 0.0;
    for (const auto& epoch : seed.epochs) {
      if (epoch.phase != "train") continue;
      ++epochs;
      steps += epoch.steps;
      counted = counted && epoch.steps > 0;
      rate = std::max(rate, epoch.learning_rate);
    }
    if (epochs == 0) continue;
    extend(row.learning_rate, rate);
    extend(row.epochs, epochs);
    extend(row.steps, steps);
    if (seed.batch) extend(row.batch, *seed.batch);
  }
  if (!counted) row.steps.reset();
}

void add_measures(Row& row, const std::vector<std::string>& tasks) {
  for (const Measure& one : measure_list()) {
    const std::vector<double> values =
        values_of(row.seeds, [&](const SeedResult& seed) { return value_of(one, seed); });
    if (!values.empty() && values.size() == row.seeds.size())
      row.measures.emplace(one.name, estimate(values));
  }
  std::set<std::string> worst;
  for (const SeedResult& seed : row.seeds) {
    const auto lowest =
        std::min_element(seed.tasks.begin(), seed.tasks.end(),
                         [](const auto& a, const auto& b) { return a.accuracy() < b.accuracy(); });
    if (lowest != seed.tasks.end()) worst.insert(lowest->task);
  }
  std::copy_if(tasks.begin(), tasks.end(), std::back_inserter(row.worst_domains),
               [&](const std::string& task) { return worst.count(task) > 0; });
  row.calibration_error_bound = mean_of(values_of(row.seeds, [](const SeedResult& seed) {
    std::vector<double> bounds;
    for (const auto& task : seed.measures)
      if (task) bounds.push_back(task->calibration_error_bound);
    return mean_of(bounds);
  }));
}

// The study's equivalence-margin as a fraction; its protocol says percentage points.
std::optional<double> equivalence_margin(const std::string& protocol) {
  const auto said = protocol_setting(protocol, "study", "equivalence-margin");
  const auto points = said ? base::parse_number<double>(*said) : std::nullopt;
  return points ? std::optional<double>(*points / 100.0) : std::nullopt;
}

Row& row_for(std::map<std::int64_t, Row>& rows, const results::PlannedRun& plan) {
  Row& row = rows[plan.row_index];
  row.label = plan.row_label;
  row.train_size = results::parse_train_size_label(plan.row_label).size;
  row.method = plan.method;
  row.sharing = plan.sharing;
  row.grouping = plan.grouping;
  return row;
}

// The sizes of rows that have one, as numbers ascend.
std::vector<std::string> train_sizes_of(const std::map<std::int64_t, Row>& rows) {
  std::map<double, std::string> sizes;
  for (const auto& [index, row] : rows) {
    if (row.train_size.empty()) continue;
    sizes.emplace(base::parse_number<double>(row.train_size).value_or(0.0), row.train_size);
  }
  std::vector<std::string> texts;
  for (const auto& [size, text] : sizes)
    texts.push_back(text);
  return texts;
}

}  // namespace

Report build_report(const results::RunStore& store, const std::string& study,
                    std::int64_t most_predictions) {
  auto record = store.study(study);
  if (!record) throw_unknown_study(store, study);

  Report report;
  report.study = study;
  report.protocol = std::move(record->protocol);
  report.equivalence_margin = equivalence_margin(report.protocol);
  report.searches = std::move(record->searches);
  std::map<std::int64_t, Row> rows;
  RunFacts facts;
  std::vector<std::uint64_t> seeds;
  const auto take = [&](const results::StudyRun& state, std::optional<RunRecord> run) {
    Row& row = row_for(rows, state.plan);
    ++row.planned;
    ++report.planned;
    seeds.push_back(state.plan.seed);
    if (!run) {
      row.missing_seeds.push_back(state.plan.seed);
    } else if (run->status == results::RunStatus::failed) {
      ++row.failed;
      report.failures.push_back(
          {row.label, state.plan.seed, run->error_kind, run->error, state.attempts});
    } else {
      ++report.finished;
      for (const auto& task : run->tasks) {
        if (std::find(report.tasks.begin(), report.tasks.end(), task.task) == report.tasks.end()) {
          report.tasks.push_back(task.task);
        }
      }
      if (run->grouping)
        report.groupings.push_back({row.label, state.plan.seed, *std::move(run->grouping)});
      facts.add(*run);
      row.seeds.push_back(seed_result(*std::move(run)));
    }
  };
  store.visit_runs(study, results::LoadDetail::without_predictions, take);
  report.train_sizes = train_sizes_of(rows);
  for (auto& [index, row] : rows) {
    row.compared = row.train_size.empty() || row.train_size == report.train_sizes.back();
    summarise(row, report.tasks, facts.backbone_parameters);
    report.rows.push_back(std::move(row));
  }
  report.splits = splits_of(store, facts);
  read_predictions(store, report, most_predictions);
  for (Row& row : report.rows) {
    add_budget(row);
    add_measures(row, report.tasks);
  }
  add_new_classes(store, report);
  add_cross_domain(store, report);
  add_left_out(store, report);
  add_transfer(store, report);
  add_places(report);
  add_comparisons(report);
  report.facts = collect_facts(report, seeds, facts);
  for (Note& note : collect_notes(report, facts))
    report.notes.push_back(std::move(note));
  add_statistical_notes(report);
  return report;
}

}  // namespace petlab::reports
