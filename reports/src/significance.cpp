#include "significance.hpp"

#include "petlab/reports/paired_tests.hpp"
#include "petlab/reports/statistics.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

namespace petlab::reports {
namespace {

// A run that trains all of a backbone for each task.
bool trains_full_copies(const SeedResult& seed) {
  const auto tasks = static_cast<std::int64_t>(seed.tasks.size());
  return seed.sharing == "per-task" && seed.total_backbone_parameters > 0 &&
         seed.trainable() == tasks * seed.total_backbone_parameters;
}

// The first compared row with finished runs that are all of this kind.
std::optional<std::size_t> first_row(const Report& report, bool (*kind)(const SeedResult&)) {
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    const std::vector<SeedResult>& seeds = report.rows[i].seeds;
    if (report.rows[i].compared && !seeds.empty() && std::all_of(seeds.begin(), seeds.end(), kind))
      return i;
  }
  return std::nullopt;
}

using SeedsOfRow = std::unordered_map<std::uint64_t, const SeedResult*>;

SeedsOfRow seeds_of(const Row& row) {
  SeedsOfRow seeds;
  for (const SeedResult& seed : row.seeds)
    seeds.emplace(seed.seed, &seed);
  return seeds;
}

// A value for each seed that both rows have, where there is one.
std::vector<double> paired_values(
    const Row& row, const SeedsOfRow& reference,
    const std::function<std::optional<double>(const SeedResult&, const SeedResult&)>& value) {
  std::vector<double> values;
  for (const SeedResult& seed : row.seeds) {
    const auto pair = reference.find(seed.seed);
    if (pair == reference.end()) continue;
    if (const auto found = value(seed, *pair->second)) values.push_back(*found);
  }
  return values;
}

void compare_with_zero_shot(std::vector<Row>& rows, std::size_t reference) {
  const SeedsOfRow reference_seeds = seeds_of(rows[reference]);
  std::vector<std::pair<Comparison*, std::vector<double>>> tested;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == reference) continue;
    std::vector<double> differences =
        paired_values(rows[i], reference_seeds, [](const SeedResult& a, const SeedResult& b) {
          return std::optional<double>(a.mean_accuracy() - b.mean_accuracy());
        });
    if (differences.empty()) continue;
    Comparison& comparison = rows[i].versus_zero_shot.emplace();
    comparison.reference = reference;
    comparison.difference = estimate(differences);
    comparison.difference.half_width.reset();
    comparison.p = paired_t_p(differences);
    if (comparison.p) tested.emplace_back(&comparison, std::move(differences));
  }
  const auto family = static_cast<double>(tested.size());
  for (auto& [comparison, differences] : tested) {
    comparison->p_bonferroni = std::min(1.0, family * *comparison->p);
    comparison->difference.half_width =
        t_quantile(1.0 - 0.5 * kSignificanceLevel / family, comparison->difference.n - 1) *
        *standard_error(differences);
  }
}

// Rows with gaps take no part: their mean is over other seeds.
void compare_rows_with_best(std::vector<Row>& rows) {
  std::vector<Row*> compared;
  std::vector<std::map<std::uint64_t, double>> scores;
  for (Row& row : rows) {
    if (!row.is_ranked()) continue;
    if (row.seeds.size() < 2) return;
    compared.push_back(&row);
    std::map<std::uint64_t, double>& of_seeds = scores.emplace_back();
    for (const SeedResult& seed : row.seeds)
      of_seeds.emplace(seed.seed, seed.mean_accuracy());
  }
  const std::vector<BestComparison> found = compare_with_best(scores);
  for (std::size_t i = 0; i < found.size(); ++i)
    compared[i]->versus_best = found[i];
}

const results::TaskResult* task_of(const SeedResult& seed, const std::string& task) {
  for (const auto& result : seed.tasks) {
    if (result.task == task) return &result;
  }
  return nullptr;
}

// Mean over tasks of (a - b) / b; nothing where a task is missing or b is 0.
std::optional<double> relative_gain(const SeedResult& seed, const SeedResult& reference) {
  if (reference.tasks.empty() || seed.tasks.size() != reference.tasks.size()) return std::nullopt;
  double sum = 0.0;
  for (const auto& single : reference.tasks) {
    const results::TaskResult* task = task_of(seed, single.task);
    if (task == nullptr || single.n_correct == 0) return std::nullopt;
    sum += (task->accuracy() - single.accuracy()) / single.accuracy();
  }
  return sum / static_cast<double>(reference.tasks.size());
}

void add_multi_task_gains(Report& report) {
  const SeedsOfRow single_task = seeds_of(report.rows[*report.single_task]);
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    if (i == *report.single_task || !report.rows[i].compared) continue;
    const std::vector<double> gains = paired_values(report.rows[i], single_task, relative_gain);
    if (!gains.empty()) report.rows[i].multi_task_gain = estimate(gains);
  }
}

void add_ranks(Report& report) {
  std::vector<std::vector<double>> scores(report.tasks.size());
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    const Row& row = report.rows[i];
    const bool everywhere =
        std::all_of(row.task_accuracy.begin(), row.task_accuracy.end(),
                    [](const std::optional<double>& accuracy) { return accuracy.has_value(); });
    if (!row.is_ranked() || !everywhere) continue;
    report.ranked_rows.push_back(i);
    for (std::size_t t = 0; t < scores.size(); ++t)
      scores[t].push_back(*row.task_accuracy[t]);
  }
  report.ranks = rank_methods(scores);
}

// Two seeds say nothing: of two, one is always the lower. Three or more fall into two camps when
// the widest gap between neighbours is at least 10 points and four times as wide as either camp:
// then the lower camp has collapsed (or the upper one was lucky; the mean stands for neither).
std::vector<std::uint64_t> collapsed(const std::vector<SeedResult>& seeds) {
  constexpr double kSmallestGap = 0.10;
  constexpr double kGapToSpread = 4.0;
  constexpr std::size_t kFewestSeeds = 3;
  if (seeds.size() < kFewestSeeds) return {};
  std::vector<const SeedResult*> sorted;
  for (const SeedResult& seed : seeds)
    sorted.push_back(&seed);
  std::sort(sorted.begin(), sorted.end(), [](const SeedResult* a, const SeedResult* b) {
    return a->mean_accuracy() < b->mean_accuracy();
  });
  const auto distance = [&](std::size_t a, std::size_t b) {
    return sorted[b]->mean_accuracy() - sorted[a]->mean_accuracy();
  };
  std::size_t low = 0;  // how many seeds lie below the widest gap
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    if (low == 0 || distance(i - 1, i) > distance(low - 1, low)) low = i;
  }
  if (low == 0) return {};
  const double gap = distance(low - 1, low);
  const double spread = std::max(distance(0, low - 1), distance(low, sorted.size() - 1));
  if (gap < kSmallestGap || gap < kGapToSpread * spread) return {};
  std::vector<std::uint64_t> result;
  for (std::size_t i = 0; i < low; ++i)
    result.push_back(sorted[i]->seed);
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace

bool is_baseline(const SeedResult& seed) {
  return seed.method_trait ? *seed.method_trait == results::method_trait::kBaseline
                           : seed.trainable() == 0;
}

std::string among_ranked(const Report& report) {
  const double best = report.rows[report.best.value()].mean->mean;
  const bool is_passed = std::any_of(report.rows.begin(), report.rows.end(), [&](const Row& row) {
    return row.compared && row.mean && row.mean->mean > best;
  });
  return is_passed ? " among rows without gaps" : "";
}

void add_places(Report& report) {
  std::vector<double> means;
  for (const Row& row : report.rows) {
    if (row.is_ranked()) means.push_back(row.mean->mean);
  }
  std::sort(means.begin(), means.end(), std::greater<>());
  means.erase(std::unique(means.begin(), means.end()), means.end());
  if (means.size() < 2) return;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    Row& row = report.rows[i];
    if (!row.is_ranked()) continue;
    if (row.mean->mean == means[0]) row.place = Place::best;
    if (row.mean->mean == means[1]) row.place = Place::second;
    if (row.place == Place::best && !report.best) report.best = i;
  }
}

void add_comparisons(Report& report) {
  report.zero_shot = first_row(report, is_baseline);
  report.single_task = first_row(report, trains_full_copies);
  // All sizes have one test set, so that each is compared with what trains nothing.
  if (report.zero_shot) compare_with_zero_shot(report.rows, *report.zero_shot);
  compare_rows_with_best(report.rows);
  for (Row& row : report.rows)
    row.collapsed_seeds = collapsed(row.seeds);
  if (report.single_task) add_multi_task_gains(report);
  add_ranks(report);
}

}  // namespace petlab::reports
