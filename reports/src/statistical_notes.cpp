#include "numbers.hpp"
#include "petlab/base/text.hpp"
#include "significance.hpp"
#include "train_size_table.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

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
  return "Row '" + row.label + "': " + (names.size() == 1 ? "seed " : "seeds ") +
         base::joined(names) + (names.size() == 1 ? " is" : " are") + " far below the others (" +
         below + " % against " + above + " %). " +
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
         base::joined(others) + ", and none of them says what its method is.";
}

std::string quoted_labels(const std::vector<const Row*>& rows) {
  std::vector<std::string> names;
  for (const Row* row : rows)
    names.push_back("'" + row->label + "'");
  return base::joined(names);
}

std::string best_group_note(const Report& report) {
  if (!report.best || !report.rows[*report.best].versus_best) return {};
  const Row& best = report.rows[*report.best];
  std::vector<const Row*> others;
  std::vector<const Row*> equivalent;
  for (const Row& row : report.rows) {
    if (&row == &best || !row.versus_best) continue;
    if (row.versus_best->may_be_best) others.push_back(&row);
    if (report.equivalence_margin && row.is_equivalent_to_best(*report.equivalence_margin))
      equivalent.push_back(&row);
  }
  std::string text = "The best mean" + among_ranked(report) + " is that of '" + best.label + "'";
  text += others.empty()
              ? "; no other row without gaps is better (95 % for all of them together)."
              : ", but with these seeds the best row may as well be " + quoted_labels(others) +
                    " (n.s. in column Δ best). That is no proof that they are equal.";
  if (!report.equivalence_margin) return text;
  const std::string margin = percent(100.0 * *report.equivalence_margin) + " points";
  return text + " Shown to be no more than " + margin +
         " below the best (≈): " + (equivalent.empty() ? "none" : quoted_labels(equivalent)) + ".";
}

// A sentence in place of intervals that say nothing.
std::string interval_note(const Report& report) {
  std::vector<const Row*> wide;
  for (const Row& row : report.rows) {
    if (row.mean && leaves_range(*row.mean, 0.0, 1.0)) wide.push_back(&row);
  }
  if (wide.empty()) return {};
  std::string text = "No interval is printed for the mean of";
  for (const Row* row : wide) {
    const auto [low, high] = std::minmax_element(row->seeds.begin(), row->seeds.end(),
                                                 [](const SeedResult& a, const SeedResult& b) {
                                                   return a.mean_accuracy() < b.mean_accuracy();
                                                 });
    text += std::string(row == wide.front() ? " '" : ", '") + row->label + "' (" +
            std::to_string(row->mean->n) + " seeds, " + fixed(100.0 * low->mean_accuracy(), 2) +
            " to " + fixed(100.0 * high->mean_accuracy(), 2) + " %)";
  }
  return text + ": a 95 % t-interval would leave 0 to 100 %, so it says nothing.";
}

}  // namespace

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
  add(interval_note(report));
  add(best_group_note(report));
  if (report.ranked_rows.size() > 2) add(report.ranks.statement);
}

}  // namespace petlab::reports
