#include "table_model.hpp"

#include "numbers.hpp"
#include "petlab/reports/quoted.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

namespace petlab::reports {
namespace {

constexpr const char* kZeroShotTitle = "Δ zero-shot";
constexpr int kDomainPlaces = 1;
constexpr int kMeanPlaces = 2;

std::string accuracy_text(const std::optional<double>& accuracy) {
  return accuracy ? fixed(100.0 * *accuracy, kDomainPlaces) : kNothing;
}

std::string points_text(const Estimate& difference, int row_seeds) {
  std::string text = signed_fixed(100.0 * difference.mean, kMeanPlaces);
  if (difference.half_width) text += " ± " + fixed(100.0 * *difference.half_width, kMeanPlaces);
  if (difference.n == 1 || difference.n != row_seeds)
    text += " (n=" + std::to_string(difference.n) + ")";
  return text;
}

std::string trainable_text(const std::optional<std::pair<std::int64_t, std::int64_t>>& range) {
  if (!range) return kNothing;
  const std::string low = millions(range->first);
  const std::string high = millions(range->second);
  return low == high ? low : low + " to " + high;
}

std::string optional_text(const std::optional<double>& value, std::string (*write)(double)) {
  return value ? write(*value) : kNothing;
}

// "5", or "3 of 5" where runs failed or are missing.
std::string runs_text(const Row& row) {
  const std::string finished = std::to_string(row.seeds.size());
  const bool complete = static_cast<int>(row.seeds.size()) == row.planned;
  return complete ? finished : finished + " of " + std::to_string(row.planned);
}

// "~0.09"; several publications' values stand side by side.
std::string quoted_text(const Row& row, const std::string& quantity) {
  std::string text;
  for (const QuotedNumber& one : row.quoted) {
    if (one.quantity == quantity) text += (text.empty() ? "" : " | ") + one.value;
  }
  return text.empty() ? kNothing : text;
}

// Best and second best of each domain among the rows without gaps; equal accuracies share a place.
void mark_domains(TextTable& table, const Report& report, std::size_t first_column) {
  table.cell_places.assign(table.rows.size(),
                           std::vector<Place>(table.columns.size(), Place::none));
  for (std::size_t task = 0; task < report.tasks.size(); ++task) {
    const auto accuracy = [&](const Row& row) {
      const bool complete = row.mean && row.failed == 0 && row.missing_seeds.empty();
      return complete ? row.task_accuracy[task] : std::nullopt;
    };
    std::set<double, std::greater<>> values;
    for (const Row& row : report.rows) {
      if (const auto value = accuracy(row)) values.insert(*value);
    }
    if (values.size() < 2) continue;
    for (std::size_t i = 0; i < report.rows.size(); ++i) {
      const auto value = accuracy(report.rows[i]);
      Place& place = table.cell_places[i][first_column + task];
      if (value == *values.begin()) place = Place::best;
      if (value == *std::next(values.begin())) place = Place::second;
    }
  }
}

}  // namespace

std::string mean_text(const Row& row) {
  if (!row.mean) return kNothing;
  std::string text = fixed(100.0 * row.mean->mean, kMeanPlaces);
  if (!row.mean->half_width) return text + " (n=1)";
  text += " ± " + fixed(100.0 * *row.mean->half_width, kMeanPlaces);
  return row.among_best && row.place != Place::best ? text + kAmongBestMark : text;
}

Place place_of(const TextTable& table, std::size_t row, std::size_t column) {
  if (table.columns[column].marked) return table.places[row];
  return table.cell_places.empty() ? Place::none : table.cell_places[row][column];
}

std::string difference_text(const std::optional<Comparison>& comparison, int row_seeds) {
  if (!comparison) return kNothing;
  const std::string text = points_text(comparison->difference, row_seeds);
  return comparison->is_real() ? text + kRealMark : text;
}

TextTable make_table(const Report& report) {
  TextTable table;
  table.columns = {{"row", Align::left, 0, true},
                   {"method", Align::left, 4, false},
                   {"sharing", Align::left, 3, false},
                   {"grouping", Align::left, 5, false}};
  const std::size_t first_domain = table.columns.size();
  for (const std::string& task : report.tasks) {
    table.columns.push_back({task + " %", Align::right, 0, false});
  }
  table.columns.push_back({"mean % ± 95 %", Align::right, 0, true});
  if (report.zero_shot) table.columns.push_back({kZeroShotTitle, Align::right, 0, false});
  if (report.single_task) table.columns.push_back({"Δ MTL %", Align::right, 3, false});
  table.columns.push_back({"trainable M", Align::right, 0, false});
  table.columns.push_back({"% backbone", Align::right, 1, false});
  if (report.times) {
    table.columns.push_back({"train s", Align::right, 1, false});
    table.columns.push_back({"test s", Align::right, 2, false});
  }
  table.columns.push_back({"n", Align::right, 0, false});
  const std::vector<std::string> quoted = quoted_quantities(report);
  for (const std::string& quantity : quoted)
    table.columns.push_back({"quoted " + quantity_title(quantity), Align::right, 1, false});

  for (const Row& row : report.rows) {
    std::vector<std::string> cells = {row.label, row.method, row.sharing,
                                      row.grouping.empty() ? kNothing : row.grouping};
    for (const auto& accuracy : row.task_accuracy)
      cells.push_back(accuracy_text(accuracy));
    const int seeds = static_cast<int>(row.seeds.size());
    cells.push_back(mean_text(row));
    if (report.zero_shot) cells.push_back(difference_text(row.versus_zero_shot, seeds));
    if (report.single_task) {
      cells.push_back(row.multi_task_gain ? points_text(*row.multi_task_gain, seeds) : kNothing);
    }
    cells.push_back(trainable_text(row.trainable));
    cells.push_back(optional_text(row.trainable_percent, percent));
    if (report.times) {
      cells.push_back(optional_text(row.train_seconds, seconds));
      cells.push_back(optional_text(row.evaluate_seconds, seconds));
    }
    cells.push_back(runs_text(row));
    for (const std::string& quantity : quoted)
      cells.push_back(quoted_text(row, quantity));
    table.rows.push_back(std::move(cells));
    table.places.push_back(row.place);
  }
  mark_domains(table, report, first_domain);
  return table;
}

std::vector<std::string> make_legend(const Report& report) {
  std::vector<std::string> legend = {
      "Domains: accuracy in %, mean over seeds. Mean: over domains, each counting the same, then "
      "over seeds.",
      "±: half-width of the two-sided 95 % t-interval of the mean over n seeds; n=1 has none."};
  const bool marked = std::any_of(report.rows.begin(), report.rows.end(), [](const Row& row) {
    return mean_text(row).ends_with(kAmongBestMark);
  });
  if (marked)
    legend.push_back(
        "≈: cannot be told from the best row (paired t-test over seeds, p of 0.05 or more after "
        "Holm's correction for all rows).");
  if (report.zero_shot) {
    legend.push_back(std::string(kZeroShotTitle) + ": difference to row '" +
                     report.rows[*report.zero_shot].label +
                     "' in percentage points, paired by seed, with the same kind of interval; * "
                     "paired t-test over seeds, p below 0.05 after Holm's correction for all "
                     "rows.");
  }
  if (report.single_task) {
    legend.push_back("Δ MTL %: relative gain over row '" + report.rows[*report.single_task].label +
                     "' (a fully fine-tuned model for each domain), mean over domains, paired by "
                     "seed.");
  }
  legend.push_back(
      std::string("trainable M: millions of trainable parameters over all adapters of a run; % "
                  "backbone: the "
                  "same in % of the backbone's. ") +
      (report.times ? "Seconds: median over seeds; train includes warm-up, test is the evaluation. "
                    : "") +
      "n: finished runs (of those planned).");
  const std::vector<std::string> sources = quoted_sources(report);
  if (!sources.empty()) {
    legend.push_back(
        "quoted: printed as its source gives it; not measured here, in no mean, rank or test.");
    legend.insert(legend.end(), sources.begin(), sources.end());
  }
  return legend;
}

std::string nothing_to_show(const Report& report) {
  if (report.finished > 0) return {};
  const std::string study = "Study '" + report.study + "'";
  if (report.planned == 0) return study + " plans no runs, so there is nothing to report.";
  std::string text = study + " has " + std::to_string(report.planned) +
                     " planned runs and none of them is finished";
  if (!report.failures.empty()) text += " (" + std::to_string(report.failures.size()) + " failed)";
  return text + ": run `petlab run` first.";
}

std::string partition_text(const results::Partition& partition) {
  std::string text;
  for (const auto& group : partition) {
    if (!text.empty()) text += ' ';
    text += '{';
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (i > 0) text += ", ";
      text += group[i];
    }
    text += '}';
  }
  return text;
}

std::string failure_text(const Failure& failure) {
  std::string text = failure.label + ", seed " + std::to_string(failure.seed) + ": " +
                     failure.error + " (" + failure.kind;
  if (failure.attempts > 1) text += ", " + std::to_string(failure.attempts) + " attempts";
  return text + ")";
}

std::string grouping_text(const FoundGrouping& found, bool times) {
  const results::GroupingRecord& grouping = found.grouping;
  std::string text = found.label + ", seed " + std::to_string(found.seed) + ": " +
                     partition_text(grouping.partition) + ", by " + grouping.strategy;
  if (times) text += " in " + seconds(grouping.seconds) + " s";
  if (grouping.affinity.empty()) return text;  // nothing that could be scored
  text += ", score " + fixed(grouping.score, 4);
  if (!grouping.runners_up.empty()) {
    const auto& next = grouping.runners_up.front();
    text += "; next " + partition_text(next.partition) + ", score " + fixed(next.score, 4);
  }
  return text;
}

}  // namespace petlab::reports
