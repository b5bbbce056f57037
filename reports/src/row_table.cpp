#include "row_table.hpp"

#include "column_list.hpp"
#include "numbers.hpp"
#include "petlab/reports/quoted.hpp"

#include <algorithm>
#include <utility>

namespace petlab::reports {
namespace {

constexpr int kDomainPlaces = 1;
constexpr int kMeanPlaces = 2;

using RowColumns = ColumnList<Row>;

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

bool is_complete(const Row& row) {
  return row.mean && row.failed == 0 && row.missing_seeds.empty();
}

// A mean, its half-width and its n: the table's cell and three fields in CSV files.
template <class Get>
void add_estimate(RowColumns& columns, ColumnOf<Row> mean, const std::string& half_width,
                  const std::string& n, Get get) {
  mean.value = [get](const Row& row) -> CsvValue {
    const std::optional<Estimate> estimate = get(row);
    return estimate ? CsvValue(estimate->mean) : CsvValue();
  };
  columns.push_back(std::move(mean));
  columns.push_back({.column = {.name = half_width}, .value = [get](const Row& row) -> CsvValue {
                       const std::optional<Estimate> estimate = get(row);
                       return estimate ? CsvValue(estimate->half_width) : CsvValue();
                     }});
  columns.push_back({.column = {.name = n}, .value = [get](const Row& row) -> CsvValue {
                       const std::optional<Estimate> estimate = get(row);
                       return estimate ? CsvValue(estimate->n) : CsvValue();
                     }});
}

// The same of a difference, with its p values.
void add_comparison(RowColumns& columns, ColumnOf<Row> difference, const std::string& prefix,
                    std::optional<Comparison> Row::* comparison) {
  add_estimate(columns, std::move(difference), prefix + "_half_width_95", prefix + "_n",
               [comparison](const Row& row) {
                 return row.*comparison ? std::optional<Estimate>((row.*comparison)->difference)
                                        : std::nullopt;
               });
  const auto add_p = [&](const char* name, std::optional<double> Comparison::* p) {
    columns.push_back(
        {.column = {.name = prefix + name}, .value = [comparison, p](const Row& row) -> CsvValue {
           return row.*comparison ? CsvValue((*(row.*comparison)).*p) : CsvValue();
         }});
  };
  add_p("_p_paired_t", &Comparison::p);
  add_p("_p_holm", &Comparison::p_holm);
}

std::string mean_reading(const Report& report) {
  std::string text =
      " Mean: over domains, each counting the same, then over seeds.\n±: half-width of the "
      "two-sided 95 % t-interval of the mean over n seeds; n=1 has none.";
  const bool marked = std::any_of(report.rows.begin(), report.rows.end(), [](const Row& row) {
    return mean_text(row).ends_with(kAmongBestMark);
  });
  if (marked)
    text +=
        "\n≈: not significantly different from the best row (paired t-test over seeds, p of 0.05 "
        "or "
        "more after Holm's correction for all rows).";
  return text;
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
                             return row.compared && is_complete(row) ? row.task_accuracy[t]
                                                                     : std::nullopt;
                           }});
  }
  add_estimate(columns,
               {.column = {.name = "mean_accuracy",
                           .title = "mean",
                           .unit = "% ± 95 %",
                           .marked = true,
                           .reading = mean_reading(report)},
                .text = [](const Row& row) { return mean_text(row); }},
               "mean_half_width_95", "n", [](const Row& row) { return row.mean; });
}

// Files have these columns always, tables only where there is a row to measure against.
void add_differences(RowColumns& columns, const Report& report) {
  Column zero_shot = {.name = "gain_over_zero_shot"};
  if (report.zero_shot) {
    zero_shot.title = "Δ zero-shot";
    zero_shot.reading = "\nΔ zero-shot: difference to row '" +
                        report.rows[*report.zero_shot].label +
                        "' in percentage points, paired by seed, with the same kind of interval; "
                        "* paired t-test over seeds, p below 0.05 after Holm's correction for all "
                        "rows.";
  }
  add_comparison(
      columns,
      {.column = zero_shot,
       .text = [](const Row& row) { return difference_text(row.versus_zero_shot, row); }},
      "gain", &Row::versus_zero_shot);
  add_comparison(columns, {.column = {.name = "difference_to_best"}}, "best", &Row::versus_best);
  columns.push_back({.column = {.name = "among_best"},
                     .value = [](const Row& row) { return row.among_best ? "yes" : "no"; }});
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
  for (const std::string& quantity : quoted_quantities(report)) {
    columns.push_back({.column = {.title = "quoted " + quantity_title(quantity),
                                  .importance = 1,
                                  .reading = std::exchange(reading, {})},
                       .text = [quantity](const Row& row) { return quoted_text(row, quantity); }});
  }
}

RowColumns row_columns(const Report& report) {
  RowColumns columns;
  add_names(columns, report);
  add_accuracies(columns, report);
  add_differences(columns, report);
  add_costs(columns, report);
  add_counts(columns);
  add_quotations(columns, report);
  return columns;
}

}  // namespace

std::string mean_text(const Row& row) {
  if (!row.mean) return kNothing;
  std::string text = fixed(100.0 * row.mean->mean, kMeanPlaces);
  if (!row.mean->half_width) return text + " (n=1)";
  text += " ± " + fixed(100.0 * *row.mean->half_width, kMeanPlaces);
  return row.among_best && row.place != Place::best ? text + kAmongBestMark : text;
}

std::string difference_text(const std::optional<Comparison>& comparison, const Row& row) {
  if (!comparison) return kNothing;
  const std::string text = gain_text(comparison->difference, row);
  return comparison->is_real() ? text + kRealMark : text;
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

std::string table_csv(const Report& report) {
  return csv_file(row_columns(report), report.rows);
}

}  // namespace petlab::reports
