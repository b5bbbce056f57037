#include "table_model.hpp"

#include "numbers.hpp"

namespace petlab::reports {
namespace {

constexpr const char* kNothing = "–";
constexpr int kDomainPlaces = 1;
constexpr int kMeanPlaces = 2;

std::string accuracy_text(const std::optional<double>& accuracy) {
  return accuracy ? fixed(100.0 * *accuracy, kDomainPlaces) : kNothing;
}

std::string mean_text(const std::optional<Estimate>& mean) {
  if (!mean) return kNothing;
  const std::string text = fixed(100.0 * mean->mean, kMeanPlaces);
  if (!mean->half_width) return text + " (n=1)";
  return text + " ± " + fixed(100.0 * *mean->half_width, kMeanPlaces);
}

std::string gain_text(const std::optional<Estimate>& gain, int row_seeds) {
  if (!gain) return kNothing;
  std::string text = signed_fixed(100.0 * gain->mean, kMeanPlaces);
  if (gain->half_width) text += " ± " + fixed(100.0 * *gain->half_width, kMeanPlaces);
  if (gain->n == 1 || gain->n != row_seeds) text += " (n=" + std::to_string(gain->n) + ")";
  if (gain->excludes_zero()) text += " *";
  return text;
}

std::string trainable_text(const std::optional<std::pair<std::int64_t, std::int64_t>>& range) {
  if (!range) return kNothing;
  if (range->first == range->second) return grouped_digits(range->first);
  return grouped_digits(range->first) + " to " + grouped_digits(range->second);
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

}  // namespace

TextTable make_table(const Report& report) {
  TextTable table;
  table.columns = {{"row", Align::left, 0, true},
                   {"method", Align::left, 4, false},
                   {"sharing", Align::left, 3, false},
                   {"grouping", Align::left, 5, false}};
  for (const std::string& task : report.tasks) {
    table.columns.push_back({task + " %", Align::right, 0, false});
  }
  table.columns.push_back({"mean % ± 95 %", Align::right, 0, true});
  if (report.zero_shot) table.columns.push_back({"Δ zero-shot", Align::right, 0, false});
  table.columns.push_back({"trainable", Align::right, 0, false});
  table.columns.push_back({"% backbone", Align::right, 1, false});
  if (report.times) {
    table.columns.push_back({"train s", Align::right, 1, false});
    table.columns.push_back({"test s", Align::right, 2, false});
  }
  table.columns.push_back({"n", Align::right, 0, false});

  for (const Row& row : report.rows) {
    std::vector<std::string> cells = {row.label, row.method, row.sharing,
                                      row.grouping.empty() ? kNothing : row.grouping};
    for (const auto& accuracy : row.task_accuracy)
      cells.push_back(accuracy_text(accuracy));
    cells.push_back(mean_text(row.mean));
    if (report.zero_shot) {
      cells.push_back(gain_text(row.gain, static_cast<int>(row.seeds.size())));
    }
    cells.push_back(trainable_text(row.trainable));
    cells.push_back(optional_text(row.trainable_percent, percent));
    if (report.times) {
      cells.push_back(optional_text(row.train_seconds, seconds));
      cells.push_back(optional_text(row.evaluate_seconds, seconds));
    }
    cells.push_back(runs_text(row));
    table.rows.push_back(std::move(cells));
    table.places.push_back(row.place);
  }
  return table;
}

std::vector<std::string> make_legend(const Report& report) {
  std::vector<std::string> legend = {
      "Domains: accuracy in %, mean over seeds. Mean: over domains, each counting the same, then "
      "over seeds.",
      "±: half-width of the two-sided 95 % t-interval of the mean over n seeds; n=1 has none."};
  if (report.zero_shot) {
    legend.push_back(
        "Δ zero-shot: difference to row '" + report.rows[*report.zero_shot].label +
        "' in percentage points, paired by seed, with the same kind of interval; * the interval "
        "does not hold 0 (not corrected for the number of rows).");
  }
  legend.push_back(
      std::string(
          "trainable: parameters over all adapters of a run, and in % of the backbone's. ") +
      (report.times ? "Seconds: median over seeds; train includes warm-up, test is the evaluation. "
                    : "") +
      "n: finished runs (of those planned).");
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
