#include "row_table.hpp"

#include "column_json.hpp"
#include "left_out.hpp"
#include "new_classes.hpp"
#include "numbers.hpp"
#include "petlab/reports/quoted.hpp"
#include "petlab/reports/render.hpp"
#include "row_columns.hpp"
#include "transfer.hpp"

#include <algorithm>
#include <utility>

namespace petlab::reports {
namespace {

constexpr int kDomainPlaces = 1;
constexpr int kMeanPlaces = 2;
constexpr const char* kNoSpread = " (no spread)";

std::string accuracy_text(const std::optional<double>& accuracy) {
  return accuracy ? fixed(100.0 * *accuracy, kDomainPlaces) : "";
}

std::string gain_text(const std::optional<Estimate>& gain, const Row& row) {
  if (!gain) return {};
  const bool all_seeds = gain->n != 1 && gain->n == static_cast<int>(row.seeds.size());
  const std::string text = points_text(*gain);
  return all_seeds ? text : text + " (n=" + std::to_string(gain->n) + ")";
}

std::string trainable_text(const Row& row) {
  if (!row.trainable) return {};
  const std::string low = millions(row.trainable->first);
  const std::string high = millions(row.trainable->second);
  return low == high ? low : low + " to " + high;
}

std::string optional_text(const std::optional<double>& value, std::string (*write)(double)) {
  return value ? write(*value) : "";
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
  return text;
}

// The same of a difference, with its p values.
void add_zero_shot(RowColumns& columns, ColumnOf<Row> difference) {
  const auto against = &Row::versus_zero_shot;
  add_estimate(columns, std::move(difference), "gain_half_width_95_simultaneous", "gain_n",
               [against](const Row& row) {
                 return row.*against ? std::optional<Estimate>((row.*against)->difference)
                                     : std::nullopt;
               });
  const auto add_p = [&](const char* name, std::optional<double> Comparison::* p) {
    columns.push_back({.column = {.name = name}, .value = [against, p](const Row& row) {
                         return row.*against ? CsvValue((*(row.*against)).*p) : CsvValue();
                       }});
  };
  add_p("gain_p_paired_t", &Comparison::p);
  add_p("gain_p_bonferroni", &Comparison::p_bonferroni);
}

void add_best(RowColumns& columns, const Report& report, Column difference) {
  const std::optional<double> margin = report.equivalence_margin;
  const auto field = [](auto get) {
    return [get](const Row& row) { return row.versus_best ? get(*row.versus_best) : CsvValue(); };
  };
  columns.push_back(
      {.column = std::move(difference),
       .text = [margin](const Row& row) { return best_text(row, margin); },
       .value = field([](const BestComparison& best) { return CsvValue(best.difference); })});
  columns.push_back(
      {.column = {.name = "best_low_95_simultaneous"},
       .value = field([](const BestComparison& best) { return CsvValue(best.low); })});
  columns.push_back(
      {.column = {.name = "best_high_95_simultaneous"},
       .value = field([](const BestComparison& best) { return CsvValue(best.high); })});
  columns.push_back({.column = {.name = "may_be_best"}, .value = field([](const BestComparison& b) {
                                                          return CsvValue(b.may_be_best ? "yes"
                                                                                        : "no");
                                                        })});
  columns.push_back({.column = {.name = "equivalent_to_best"}, .value = [margin](const Row& row) {
                       if (!row.versus_best || !margin) return CsvValue();
                       return CsvValue(row.is_equivalent_to_best(*margin) ? "yes" : "no");
                     }});
}

// What stands beside the intervals: what they are about, and what they leave out.
std::string mean_reading(const Report& report) {
  std::string text =
      " Mean: over domains, each counting the same, then over seeds.\n±: half-width of the "
      "two-sided 95 % t-interval of the mean over n seeds, each row by itself; n=1 has none. It "
      "is about other seeds on these test images, and leaves out what other test images would "
      "do (petlab compare asks that)";
  if (!report.searches.empty())
    text += " and that settings were chosen by a search, which other seeds may choose otherwise";
  return text + ".";
}

std::string quoted_reading(const Report& report) {
  std::string text =
      "\nquoted: printed as its source gives it; not measured here, in no mean, rank or test.";
  for (const std::string& source : quoted_sources(report))
    text += "\n" + source;
  return text;
}

void add_names(RowColumns& columns, const Report& report) {
  columns.push_back({.column = {.name = "study"},
                     .value = [study = report.study](const Row&) { return CsvValue(study); }});
  columns.push_back(
      {.column = {.name = "row", .title = "row", .align = Align::left, .marked = true},
       .value = [](const Row& row) { return row.label; }});
  if (!report.train_sizes.empty())
    columns.push_back(
        {.column = {.name = "train_size"}, .value = [](const Row& row) { return row.train_size; }});
  columns.push_back(
      {.column = {.name = "method", .title = "method", .align = Align::left, .importance = 4},
       .value = [](const Row& row) { return row.method; }});
  columns.push_back(
      {.column = {.name = "sharing", .title = "sharing", .align = Align::left, .importance = 3},
       .value = [](const Row& row) { return row.sharing; }});
  columns.push_back(
      {.column = {.name = "grouping", .title = "grouping", .align = Align::left, .importance = 5},
       .value = [](const Row& row) { return row.grouping; }});
}

void add_accuracies(RowColumns& columns, const Report& report) {
  for (std::size_t t = 0; t < report.tasks.size(); ++t) {
    const std::string reading = "\nDomains: accuracy in %, mean over seeds.";
    columns.push_back({.column = {.name = "accuracy " + report.tasks[t],
                                  .title = report.tasks[t],
                                  .unit = "%",
                                  .reading = t == 0 ? reading : ""},
                       .text = [t](const Row& row) { return accuracy_text(row.task_accuracy[t]); },
                       .value = [t](const Row& row) { return row.task_accuracy[t]; },
                       .ranked =
                           [t](const Row& row) {
                             return row.is_ranked() ? row.task_accuracy[t] : std::nullopt;
                           }});
  }
  add_estimate(columns,
               {.column = {.name = "mean_accuracy",
                           .title = "mean",
                           .unit = "% ± 95 %",
                           .marked = true,
                           .reading = mean_reading(report)},
                .text = [](const Row& row) { return share_text(row.mean); }},
               "mean_half_width_95", "n", [](const Row& row) { return row.mean; });
}

// Files have these columns always, tables only where there is a row to measure against.
void add_differences(RowColumns& columns, const Report& report) {
  Column zero_shot = {.name = "gain_over_zero_shot"};
  if (report.zero_shot) {
    zero_shot.title = "Δ zero-shot";
    zero_shot.reading =
        "\nΔ zero-shot: difference to row '" + report.rows[*report.zero_shot].label +
        "' in percentage points, paired by seed, with 95 % t-intervals that hold "
        "for all rows together (Bonferroni). *: the interval leaves out 0; n.s.: "
        "it does not, which does not show that there is no difference; no spread: the same "
        "difference with each seed, so that there is nothing to test.";
  }
  add_zero_shot(columns, {.column = zero_shot, .text = [](const Row& row) {
                            return difference_text(row.versus_zero_shot, row);
                          }});
  Column best = {.name = "difference_to_best"};
  if (has_best_comparisons(report)) {
    best.title = "Δ best";
    best.importance = 1;
    best.reading = "\n" + best_reading(report);
  }
  add_best(columns, report, best);
  Column gain = {.name = "multi_task_gain"};
  if (report.single_task) {
    gain.title = "Δ MTL";
    gain.unit = "%";
    gain.importance = 3;
    gain.reading = "\nΔ MTL %: relative gain over row '" + report.rows[*report.single_task].label +
                   "' (a fully fine-tuned model for each domain), mean over domains, paired by "
                   "seed.";
  }
  add_estimate(
      columns,
      {.column = gain, .text = [](const Row& row) { return gain_text(row.multi_task_gain, row); }},
      "multi_task_gain_half_width_95", "multi_task_gain_n",
      [](const Row& row) { return row.multi_task_gain; });
}

void add_costs(RowColumns& columns, const Report& report) {
  columns.push_back(
      {.column = {.name = "trainable_min",
                  .title = "trainable",
                  .unit = "M",
                  .reading = "\ntrainable M: millions of trainable parameters over all adapters "
                             "of a run; "},
       .text = trainable_text,
       .value = [](const Row& row) {
         return row.trainable ? CsvValue(row.trainable->first) : CsvValue();
       }});
  columns.push_back({.column = {.name = "trainable_max"}, .value = [](const Row& row) {
                       return row.trainable ? CsvValue(row.trainable->second) : CsvValue();
                     }});
  columns.push_back(
      {.column = {.name = "trainable_percent_of_backbone",
                  .title = "% backbone",
                  .importance = 1,
                  .reading = "% backbone: the same in % of the backbone's."},
       .text = [](const Row& row) { return optional_text(row.trainable_percent, percent); },
       .value = [](const Row& row) { return row.trainable_percent; }});
  columns.push_back(
      {.column = {.name = "train_seconds_median",
                  .title = report.times ? "train" : "",
                  .unit = "s",
                  .importance = 1,
                  .reading = " Seconds: median over seeds; train includes the affinity phase,"},
       .text = [](const Row& row) { return optional_text(row.train_seconds, seconds); },
       .value = [](const Row& row) { return row.train_seconds; }});
  columns.push_back(
      {.column = {.name = "evaluate_seconds_median",
                  .title = report.times ? "test" : "",
                  .unit = "s",
                  .importance = 2,
                  .reading = " test is the evaluation."},
       .text = [](const Row& row) { return optional_text(row.evaluate_seconds, seconds); },
       .value = [](const Row& row) { return row.evaluate_seconds; }});
}

void add_counts(RowColumns& columns) {
  columns.push_back({.column = {.name = "planned",
                                .title = "n",
                                .reading = " n: finished runs (of those planned)."},
                     .text = runs_text,
                     .value = [](const Row& row) { return row.planned; }});
  columns.push_back(
      {.column = {.name = "failed"}, .value = [](const Row& row) { return row.failed; }});
  columns.push_back({.column = {.name = "missing"},
                     .value = [](const Row& row) { return row.missing_seeds.size(); }});
}

void add_quotations(RowColumns& columns, const Report& report) {
  std::string reading = quoted_reading(report);
  for (const Quantity& quantity : quoted_quantities(report)) {
    columns.push_back(
        {.column = {.title = "quoted " + quantity.title,
                    .importance = 1,
                    .reading = std::exchange(reading, {})},
         .text = [name = quantity.name](const Row& row) { return quoted_text(row, name); }});
  }
}

RowColumns row_columns(const Report& report) {
  RowColumns columns;
  add_names(columns, report);
  add_accuracies(columns, report);
  add_new_class_columns(columns, report);
  add_left_out_column(columns, report);
  add_transfer_columns(columns, report);
  add_differences(columns, report);
  add_measure_columns(columns, report);
  add_costs(columns, report);
  add_operation_columns(columns, report);
  add_budget_columns(columns, report);
  add_counts(columns);
  add_quotations(columns, report);
  for (ColumnOf<Row>& one : columns) {
    const auto& asked = report.columns;
    if (one.column.optional &&
        std::find(asked.begin(), asked.end(), one.column.name) == asked.end()) {
      one.column.title.clear();
      one.column.reading.clear();
    }
  }
  return columns;
}

}  // namespace

std::string share_text(const std::optional<Estimate>& share) {
  if (!share) return kNothing;
  const std::string text = fixed(100.0 * share->mean, kMeanPlaces);
  if (!share->half_width) return text + " (n=1)";
  if (leaves_range(*share, 0.0, 1.0)) return text + kNoInterval;
  return text + " ± " + fixed(100.0 * *share->half_width, kMeanPlaces);
}

std::string difference_text(const std::optional<Comparison>& comparison, const Row& row) {
  if (!comparison) return kNothing;
  const std::string text = gain_text(comparison->difference, row);
  if (!comparison->p) return comparison->difference.n > 1 ? text + kNoSpread : text;
  return text + (comparison->is_real() ? kRealMark : kNotRealMark);
}

std::string best_text(const Row& row, const std::optional<double>& margin) {
  if (!row.versus_best || !row.versus_best->difference) return kNothing;
  const BestComparison& best = *row.versus_best;
  std::string text = signed_fixed(100.0 * *best.difference, kMeanPlaces);
  const bool known = best.low && best.high && *best.low >= -1.0 && *best.high <= 1.0;
  text += known ? " (" + signed_fixed(100.0 * *best.low, kMeanPlaces) + " to " +
                      signed_fixed(100.0 * *best.high, kMeanPlaces) + ")"
                : kNoInterval;
  if (margin && row.is_equivalent_to_best(*margin)) return text + kEquivalentMark;
  const bool alone = best.low && *best.low >= 0.0;  // all others are below it
  return text + (alone || !best.may_be_best ? kRealMark : kNotRealMark);
}

bool has_best_comparisons(const Report& report) {
  return std::any_of(report.rows.begin(), report.rows.end(),
                     [](const Row& row) { return row.versus_best.has_value(); });
}

std::string best_reading(const Report& report) {
  std::string text =
      "Δ best: difference to the best of the other rows without gaps in percentage points, with "
      "Hsu's intervals of multiple comparisons with the best, paired by seed: 95 % for all rows "
      "together, whichever is the best. *: another row is at least as good (the interval ends at "
      "0), or this row is the best or as good as any (it begins at 0); n.s.: not significant, the "
      "row may be the best, which does not show that it is as good.";
  if (report.equivalence_margin)
    text += " ≈: no more than " + percent(100.0 * *report.equivalence_margin) +
            " points below the best, as the interval shows (the study's equivalence-margin).";
  return text;
}

TextTable make_table(const Report& report) {
  TextTable table = text_table(row_columns(report), report.rows);
  std::transform(report.rows.begin(), report.rows.end(), table.places.begin(),
                 [](const Row& row) { return row.place; });
  return table;
}

std::vector<std::string> make_legend(const Report& report) {
  return legend_of(row_columns(report));
}

std::vector<std::string> optional_columns() {
  std::vector<std::string> names;
  for (const ColumnOf<Row>& one : row_columns(Report{})) {
    if (one.column.optional) names.push_back(one.column.name);
  }
  return names;
}

std::string table_csv(const Report& report) {
  return csv_file(row_columns(report), report.rows);
}

nlohmann::ordered_json table_json(const Report& report) {
  return json_lines(row_columns(report), report.rows);
}

}  // namespace petlab::reports
