#include "significance.hpp"

#include "numbers.hpp"
#include "petlab/reports/paired_tests.hpp"
#include "train_size_table.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>

namespace petlab::reports {
namespace {

bool has_gaps(const Row& row) {
  return !row.mean || row.failed > 0 || !row.missing_seeds.empty();
}

// Rows that places, tests against the best and ranks are about.
bool is_ranked(const Row& row) {
  return row.compared && !has_gaps(row);
}

// A run of the backbone as it is. One that does not say what its method is, but trained nothing,
// is taken for one.
bool is_baseline(const SeedResult& seed) {
  return seed.method_trait ? *seed.method_trait == results::method_trait::kBaseline
                           : seed.trainable() == 0;
}

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

using Target = std::optional<Comparison> Row::*;

void compare_all(std::vector<Row>& rows, std::size_t reference, Target target,
                 bool (*takes_part)(const Row&)) {
  std::vector<Comparison*> tested;
  std::vector<double> family;
  const SeedsOfRow reference_seeds = seeds_of(rows[reference]);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == reference || !takes_part(rows[i])) continue;
    const std::vector<double> differences =
        paired_values(rows[i], reference_seeds, [](const SeedResult& a, const SeedResult& b) {
          return std::optional<double>(a.mean_accuracy() - b.mean_accuracy());
        });
    if (differences.empty()) continue;
    Comparison& comparison = (rows[i].*target).emplace();
    comparison.reference = reference;
    comparison.difference = estimate(differences);
    comparison.p = paired_t_p(differences);
    if (!comparison.p) continue;
    tested.push_back(&comparison);
    family.push_back(*comparison.p);
  }
  const std::vector<double> corrected = holm(family);
  for (std::size_t i = 0; i < tested.size(); ++i)
    tested[i]->p_holm = corrected[i];
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
    if (!is_ranked(row) || !everywhere) continue;
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

std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i)
    text += (i == 0 ? "" : ", ") + items[i];
  return text;
}

bool trains_nothing(const Row& row) {
  return row.trainable && row.trainable->second == 0;
}

std::string collapse_note(const Row& row) {
  std::vector<std::string> names;
  std::string below, above;
  for (const SeedResult& seed : row.seeds) {
    const bool low = std::find(row.collapsed_seeds.begin(), row.collapsed_seeds.end(), seed.seed) !=
                     row.collapsed_seeds.end();
    if (low) names.push_back(std::to_string(seed.seed));
    std::string& list = low ? below : above;
    list += (list.empty() ? "" : ", ") + fixed(100.0 * seed.mean_accuracy(), 1);
  }
  return "Row '" + row.label + "': " + (names.size() == 1 ? "seed " : "seeds ") + listed(names) +
         (names.size() == 1 ? " is" : " are") + " far below the others (" + below + " % against " +
         above + " %). " +
         (names.size() == 1 ? "One seed is an outlier; "
                            : std::to_string(names.size()) + " seeds are outliers; ") +
         (trains_nothing(row) ? "nothing trains in this row, so only the split differs."
          : names.size() == 1 ? "check its learning curve."
                              : "check their learning curves.");
}

std::string seeds_note(const Report& report) {
  constexpr int kEnoughSeeds = 5;
  int most = 0;
  for (const Row& row : report.rows)
    most = std::max(most, static_cast<int>(row.seeds.size()));
  if (most == 0 || most >= kEnoughSeeds) return {};
  if (most == 1)
    return "One seed: nothing is known about chance between seeds, so there are no intervals and "
           "no tests. Five or more seeds are a good start.";
  return "Too few seeds for small differences: with " + std::to_string(most) +
         " seeds the 95 % interval of a mean reaches " + fixed(interval_reach(most), 2) +
         " standard deviations to either side, with 5 seeds " + fixed(interval_reach(5), 2) +
         ", with 10 seeds " + fixed(interval_reach(10), 2) + ".";
}

// Rows that might be the baseline as well as the one that was taken for it.
std::string baseline_note(const Report& report) {
  if (!report.zero_shot) return {};
  const Row& taken = report.rows[*report.zero_shot];
  const auto is_guessed = [](const SeedResult& seed) {
    return !seed.method_trait && is_baseline(seed);
  };
  if (!is_guessed(taken.seeds.front())) return {};
  std::vector<std::string> others;
  for (const Row& row : report.rows) {
    if (row.method != taken.method && !row.seeds.empty() && is_guessed(row.seeds.front()))
      others.push_back("'" + row.label + "'");
  }
  if (others.empty()) return {};
  return "Row '" + taken.label +
         "' is taken for zero-shot because its runs trained nothing; so did "
         "those of " +
         listed(others) + ", and none of them says what its method is.";
}

std::string best_group_note(const Report& report) {
  if (!report.best || report.rows[*report.best].mean->n < 2) return {};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    if (i != *report.best && report.rows[i].among_best)
      names.push_back("'" + report.rows[i].label + "'");
  }
  const std::string best = "'" + report.rows[*report.best].label + "'";
  if (names.empty())
    return "All other rows without gaps are significantly different from the best, " + best + ".";
  return "The best mean is that of " + best + "; " + listed(names) +
         (names.size() == 1 ? " is" : " are") +
         " not significantly different from it with these seeds, so do not rank them.";
}

}  // namespace

void add_places(Report& report) {
  std::vector<double> means;
  for (const Row& row : report.rows) {
    if (is_ranked(row)) means.push_back(row.mean->mean);
  }
  std::sort(means.begin(), means.end(), std::greater<>());
  means.erase(std::unique(means.begin(), means.end()), means.end());
  if (means.size() < 2) return;
  for (std::size_t i = 0; i < report.rows.size(); ++i) {
    Row& row = report.rows[i];
    if (!is_ranked(row)) continue;
    if (row.mean->mean == means[0]) row.place = Place::best;
    if (row.mean->mean == means[1]) row.place = Place::second;
    if (row.place == Place::best && !report.best) report.best = i;
  }
}

void add_comparisons(Report& report) {
  report.zero_shot = first_row(report, is_baseline);
  report.single_task = first_row(report, trains_full_copies);
  // All sizes have one test set, so that each is compared with what trains nothing.
  if (report.zero_shot)
    compare_all(report.rows, *report.zero_shot, &Row::versus_zero_shot,
                [](const Row&) { return true; });
  if (report.best)
    compare_all(report.rows, *report.best, &Row::versus_best,
                [](const Row& row) { return row.compared; });
  for (Row& row : report.rows) {
    const bool worse =
        row.versus_best && row.versus_best->is_real() && row.versus_best->difference.mean < 0.0;
    row.among_best = report.best && is_ranked(row) && !worse;
    row.collapsed_seeds = collapsed(row.seeds);
  }
  if (report.single_task) add_multi_task_gains(report);
  add_ranks(report);
}

void add_statistical_notes(Report& report) {
  if (report.finished == 0) return;
  const auto add = [&](const std::string& note, NoteGrade grade = NoteGrade::information) {
    if (!note.empty()) report.notes.emplace_back(note, grade);
  };
  for (const Row& row : report.rows) {
    if (!row.collapsed_seeds.empty()) add(collapse_note(row), NoteGrade::caution);
  }
  if (!report.train_sizes.empty())
    add("Several training sizes: places, tests against the best row, gains over single-task "
        "fine-tuning and ranks are those of " +
        train_size_text(report.train_sizes.back()) + ".");
  add(baseline_note(report), NoteGrade::caution);
  add(seeds_note(report));
  add(best_group_note(report));
  if (report.ranked_rows.size() > 2) add(report.ranks.statement);
}

}  // namespace petlab::reports
