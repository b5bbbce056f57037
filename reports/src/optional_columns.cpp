#include "measure_list.hpp"
#include "numbers.hpp"
#include "petlab/base/text.hpp"
#include "protocol_text.hpp"
#include "row_columns.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

std::optional<Estimate> estimate_of(const Row& row, const std::string& measure) {
  const auto found = row.measures.find(measure);
  return found == row.measures.end() ? std::nullopt : std::optional<Estimate>(found->second);
}

std::string estimate_text(const Measure& measure, const std::optional<Estimate>& value) {
  if (!value) return {};
  std::string text = measure_text(measure, value->mean);
  if (!value->half_width) return text + " (n=1)";
  if (measure.is_share() && leaves_range(*value, 0.0, 1.0)) return text + kNoInterval;
  return text + " ± " + measure_text(measure, value->half_width);
}

std::string calibration_reading(const Report& report) {
  double bound = 0.0;
  for (const Row& row : report.rows)
    bound = std::max(bound, row.calibration_error_bound.value_or(0.0));
  return " Probabilities are stored in steps of 1/65535: the printed value is at most " +
         percent(100.0 * bound) + " points from that of the models' own.";
}

// "0.002", or "0.001 to 0.002" where a found setting changes it from seed to seed.
template <class Number>
std::string range_text(const std::optional<std::pair<Number, Number>>& range,
                       std::string (*write)(Number)) {
  if (!range) return {};
  const std::string low = write(range->first);
  const std::string high = write(range->second);
  return low == high ? low : low + " to " + high;
}

std::string budget_text(const Row& row) {
  if (!row.epochs) return {};
  return row.has_published_budget ? "published" : "equal";
}

template <class Number>
void add_range(RowColumns& columns, Column column, const std::string& name,
               std::optional<std::pair<Number, Number>> Row::* range,
               std::string (*write)(Number)) {
  column.name = name + "_min";
  columns.push_back(
      {.column = std::move(column),
       .text = [range, write](const Row& row) { return range_text(row.*range, write); },
       .value =
           [range](const Row& row) {
             return row.*range ? CsvValue((row.*range)->first) : CsvValue();
           }});
  columns.push_back({.column = {.name = name + "_max"}, .value = [range](const Row& row) {
                       return row.*range ? CsvValue((row.*range)->second) : CsvValue();
                     }});
}

void add_operations(RowColumns& columns, Column column, std::optional<double> Row::* flops) {
  column.optional = true;
  columns.push_back({.column = std::move(column),
                     .text =
                         [flops](const Row& row) {
                           return row.*flops ? operations(*(row.*flops)) : std::string();
                         },
                     .value = [flops](const Row& row) { return CsvValue(row.*flops); }});
}

void add_memory(RowColumns& columns, Column column, std::optional<std::int64_t> Row::* bytes) {
  column.optional = true;
  column.unit = "MB";
  columns.push_back({.column = std::move(column),
                     .text =
                         [bytes](const Row& row) {
                           return row.*bytes ? fixed(static_cast<double>(*(row.*bytes)) / kMega, 0)
                                             : std::string();
                         },
                     .value = [bytes](const Row& row) { return CsvValue(row.*bytes); }});
}

}  // namespace

void add_measure_columns(RowColumns& columns, const Report& report) {
  for (const Measure& one : measure_list()) {
    const bool worst = one.name == "worst_domain_accuracy";
    const bool calibration = one.name == "calibration_error";
    add_estimate(columns,
                 {.column = {.name = one.name,
                             .title = one.title,
                             .unit = one.unit,
                             .optional = true,
                             .reading = one.reading + (calibration ? calibration_reading(report)
                                                                   : std::string())},
                  .text =
                      [&one, worst](const Row& row) {
                        const std::string text = estimate_text(one, estimate_of(row, one.name));
                        return !worst || text.empty()
                                   ? text
                                   : text + " (" + base::joined(row.worst_domains) + ")";
                      }},
                 one.name + "_half_width_95", one.name + "_n",
                 [&one](const Row& row) { return estimate_of(row, one.name); });
    if (worst)
      columns.push_back({.column = {.name = "worst_domains"},
                         .value = [](const Row& row) { return base::joined(row.worst_domains); }});
    if (calibration)
      columns.push_back({.column = {.name = "calibration_error_bound"},
                         .value = [](const Row& row) { return row.calibration_error_bound; }});
  }
}

void add_operation_columns(RowColumns& columns, const Report& report) {
  add_operations(columns,
                 {.name = "train_flops",
                  .title = "training",
                  .reading = "\nOperations were counted while the runs computed (a multiplication "
                             "and an addition are two, elementwise work is left out), median over "
                             "seeds: training with the affinity phase,"},
                 &Row::train_flops);
  add_operations(columns,
                 {.name = "step_flops", .title = "a step", .reading = " the first training step,"},
                 &Row::step_flops);
  add_operations(columns,
                 {.name = "image_flops",
                  .title = "a test image",
                  .reading = " one test image without the class texts."},
                 &Row::image_flops);
  add_memory(columns,
             {.name = "peak_host_bytes",
              .title = report.times ? "peak host" : "",
              .reading = "\npeak host MB: largest resident memory of a run's own process, the "
                         "largest of all seeds."},
             &Row::peak_host_bytes);
  add_memory(columns,
             {.name = "peak_device_bytes",
              .title = report.times ? "peak device" : "",
              .reading = " peak device MB: the same of the memory of a GPU."},
             &Row::peak_device_bytes);
}

void add_budget_columns(RowColumns& columns, const Report& report) {
  add_range<double>(columns,
                    {.title = "learning rate",
                     .importance = 1,
                     .reading = "\nlearning rate: the largest of the training epochs, before a "
                                "row's factors;"},
                    "learning_rate", &Row::learning_rate, exact);
  add_range<std::int64_t>(columns, {.title = "epochs", .importance = 1, .reading = " epochs and"},
                          "epochs", &Row::epochs, grouped_digits);
  add_range<std::int64_t>(
      columns,
      {.title = "steps",
       .importance = 1,
       .reading = " optimizer steps as the runs recorded them, without the affinity phase."},
      "steps", &Row::steps, grouped_digits);
  // Equal for all rows, but where each method has its own.
  const bool differs = protocol_setting(report.protocol, "train", "budget") == "published";
  add_range<std::int64_t>(columns,
                          {.title = differs ? "batch" : "",
                           .importance = 1,
                           .reading = " batch: images of a task in a step."},
                          "batch", &Row::batch, grouped_digits);
  columns.push_back(
      {.column = {.name = "budget",
                  .title = differs ? "budget" : "",
                  .align = Align::left,
                  .importance = 1,
                  .reading = " budget: published: epochs or steps, batch and schedule are those of "
                             "the code of the method's publication; equal: the protocol's."},
       .text = [](const Row& row) { return budget_text(row); },
       .value = [](const Row& row) { return CsvValue(budget_text(row)); }});
}

}  // namespace petlab::reports
