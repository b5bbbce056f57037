#include "run_table.hpp"

#include "column_json.hpp"
#include "measure_list.hpp"
#include "numbers.hpp"

#include <algorithm>
#include <map>
#include <type_traits>

namespace petlab::reports {
namespace {

constexpr double kGiga = 1e9;

// A planned run, or one of its tasks.
struct RunLine {
  const Row* row = nullptr;
  std::uint64_t seed = 0;
  const char* status = "";
  const SeedResult* run = nullptr;            // of a finished one
  const results::TaskResult* task = nullptr;  // in runs.csv
  std::string error = {};
};

using RunColumns = ColumnList<RunLine>;

// What `get` makes of the finished run; nothing for others.
template <class Get>
auto of_run(Get get) {
  return [get](const RunLine& line) {
    using Value = std::invoke_result_t<Get, const SeedResult&>;
    return line.run != nullptr ? Value(get(*line.run)) : Value();
  };
}

// The same in a CSV file, where nothing is an empty field.
template <class Get>
auto field_of_run(Get get) {
  return of_run([get](const SeedResult& run) { return CsvValue(get(run)); });
}

template <class Get>
auto field_of_task(Get get) {
  return [get](const RunLine& line) {
    return line.task != nullptr ? CsvValue(get(*line.task)) : CsvValue();
  };
}

template <class Number>
std::string scaled(const std::optional<Number>& value, double unit, int places) {
  return value ? fixed(static_cast<double>(*value) / unit, places) : std::string();
}

std::string seconds_cell(const std::optional<double>& value) {
  return value ? seconds(*value) : std::string();
}

void add_names(RunColumns& columns, const Report& report) {
  columns.push_back({.column = {.name = "study"},
                     .value = [study = report.study](const RunLine&) { return CsvValue(study); }});
  columns.push_back({.column = {.name = "row", .title = "row", .align = Align::left},
                     .value = [](const RunLine& line) { return line.row->label; }});
  columns.push_back({.column = {.name = "method"},
                     .value = [](const RunLine& line) { return line.row->method; }});
  columns.push_back({.column = {.name = "sharing"},
                     .value = [](const RunLine& line) { return line.row->sharing; }});
  columns.push_back({.column = {.name = "grouping"},
                     .value = [](const RunLine& line) { return line.row->grouping; }});
  columns.push_back({.column = {.name = "seed", .title = "seed"},
                     .value = [](const RunLine& line) { return line.seed; }});
  columns.push_back(
      {.column = {.name = "status"}, .value = [](const RunLine& line) { return line.status; }});
}

void add_results(RunColumns& columns) {
  using results::TaskResult;
  columns.push_back({.column = {.name = "task"},
                     .value = field_of_task([](const TaskResult& t) { return t.task; })});
  columns.push_back({.column = {.name = "n_train"},
                     .value = field_of_task([](const TaskResult& t) { return t.n_train; })});
  columns.push_back({.column = {.name = "n_test"},
                     .value = field_of_task([](const TaskResult& t) { return t.n_test; })});
  columns.push_back({.column = {.name = "n_correct"},
                     .value = field_of_task([](const TaskResult& t) { return t.n_correct; })});
  columns.push_back({.column = {.name = "accuracy"},
                     .value = field_of_task([](const TaskResult& t) { return t.accuracy(); })});
  columns.push_back({.column = {.name = "loss"},
                     .value = field_of_task([](const TaskResult& t) { return t.loss; })});
  columns.push_back(
      {.column = {.title = "mean", .unit = "%"},
       .text = of_run([](const SeedResult& s) { return fixed(100.0 * s.mean_accuracy(), 2); })});
  for (const Measure& one : measure_list()) {
    const bool in_file = one.of_task != nullptr && one.name != kLossMeasure;  // that is "loss"
    columns.push_back(
        {.column = {.name = in_file ? one.name : "", .title = one.title, .unit = one.unit},
         .text =
             of_run([&one](const SeedResult& s) { return measure_text(one, value_of(one, s)); }),
         .value = [&one](const RunLine& line) {
           if (line.task == nullptr) return CsvValue();
           const auto place = static_cast<std::size_t>(line.task - line.run->tasks.data());
           return CsvValue(one.of_task(*line.run, place));
         }});
  }
}

void add_costs(RunColumns& columns, bool times) {
  columns.push_back(
      {.column = {.name = "trainable", .title = "trainable"},
       .text = of_run([](const SeedResult& s) { return grouped_digits(s.trainable()); }),
       .value = field_of_run([](const SeedResult& s) { return s.trainable(); })});
  columns.push_back(
      {.column = {.title = "stored",
                  .unit = "MB",
                  .reading = " stored: what has to be kept to use the adapters later.",
                  .reading_place = 1},
       .text = of_run([](const SeedResult& s) {
         return fixed(static_cast<double>(s.stored_bytes) / kMega, 3);
       })});
  columns.push_back(
      {.column = {.name = "adapters_bytes",
                  .title = "file",
                  .unit = "MB",
                  .reading = " file: in which the run's adapters are kept beside the store.",
                  .reading_place = 1},
       .text = of_run([](const SeedResult& s) {
         return s.adapters_bytes == 0 ? std::string()
                                      : fixed(static_cast<double>(s.adapters_bytes) / kMega, 3);
       }),
       .value = field_of_run([](const SeedResult& s) { return s.adapters_bytes; })});
  columns.push_back(
      {.column = {.name = "train_seconds", .title = times ? "train" : "", .unit = "s"},
       .text = of_run([](const SeedResult& s) { return seconds_cell(s.train_seconds); }),
       .value = field_of_run([](const SeedResult& s) { return s.train_seconds; })});
  columns.push_back(
      {.column = {.name = "evaluate_seconds", .title = times ? "test" : "", .unit = "s"},
       .text = of_run([](const SeedResult& s) { return seconds_cell(s.evaluate_seconds); }),
       .value = field_of_run([](const SeedResult& s) { return s.evaluate_seconds; })});
  columns.push_back(
      {.column = {.title = times ? "peak host" : "",
                  .unit = "MB",
                  .reading = "\npeak: largest resident memory of the run's own process.",
                  .reading_place = 2},
       .text = of_run([](const SeedResult& s) { return scaled(s.peak_host_bytes, kMega, 0); })});
  columns.push_back(
      {.column = {.title = times ? "peak device" : "", .unit = "MB"},
       .text = of_run([](const SeedResult& s) { return scaled(s.peak_device_bytes, kMega, 0); })});
  columns.push_back(
      {.column = {.name = "step_flops", .title = "GFLOP a step"},
       .text = of_run([](const SeedResult& s) { return scaled(s.step_flops, kGiga, 3); }),
       .value = field_of_run([](const SeedResult& s) { return s.step_flops; })});
  columns.push_back(
      {.column = {.name = "image_flops", .title = "GFLOP an image"},
       .text = of_run([](const SeedResult& s) { return scaled(s.image_flops, kGiga, 4); }),
       .value = field_of_run([](const SeedResult& s) { return s.image_flops; })});
}

void add_provenance(RunColumns& columns, bool times) {
  columns.push_back(
      {.column = {.title = "test evaluations"},
       .text = of_run([](const SeedResult& s) { return std::to_string(s.test_evaluations); })});
  columns.push_back({.column = {.title = "determinism", .align = Align::left},
                     .text = of_run([](const SeedResult& s) { return s.determinism; })});
  columns.push_back(
      {.column = {.title = times ? "resumed" : ""},
       .text = of_run([](const SeedResult& s) { return std::to_string(s.resumed); })});
  columns.push_back({.column = {.title = times ? "started" : "", .align = Align::left},
                     .text = of_run([](const SeedResult& s) { return s.started; })});
  columns.push_back(
      {.column = {.name = "run",
                  .title = "identity",
                  .align = Align::left,
                  .reading = "\nidentity: SHA-256 over everything that is meant to decide the "
                             "result; a run of the same identity is never done twice."},
       .value = field_of_run([](const SeedResult& s) { return s.identity.hash; })});
  columns.push_back(
      {.column = {.title = "trained weights",
                  .align = Align::left,
                  .reading = " trained weights: digest of the trained parameters at the end."},
       .text = of_run([](const SeedResult& s) { return s.trained_hash; })});
  columns.push_back(
      {.column = {.name = "error"}, .value = [](const RunLine& line) { return line.error; }});
}

RunColumns run_columns(const Report& report) {
  RunColumns columns;
  add_names(columns, report);
  add_results(columns);
  add_costs(columns, report.times);
  add_provenance(columns, report.times);
  return columns;
}

std::vector<RunLine> finished_runs(const Report& report) {
  std::vector<RunLine> lines;
  for (const Row& row : report.rows) {
    for (const SeedResult& seed : row.seeds)
      lines.push_back({.row = &row, .seed = seed.seed, .status = "done", .run = &seed});
  }
  return lines;
}

// A line a run and task; a run without results has one.
std::vector<RunLine> all_runs(const Report& report) {
  std::multimap<std::string, const Failure*> failures;
  for (const Failure& failure : report.failures)
    failures.emplace(failure.label, &failure);
  std::vector<RunLine> lines;
  for (const Row& row : report.rows) {
    for (const SeedResult& seed : row.seeds) {
      for (const results::TaskResult& task : seed.tasks)
        lines.push_back(
            {.row = &row, .seed = seed.seed, .status = "done", .run = &seed, .task = &task});
    }
    const auto [first, last] = failures.equal_range(row.label);
    for (auto failure = first; failure != last; ++failure)
      lines.push_back({.row = &row,
                       .seed = failure->second->seed,
                       .status = "failed",
                       .error = failure->second->error});
    for (const std::uint64_t seed : row.missing_seeds)
      lines.push_back({.row = &row, .seed = seed, .status = "missing"});
  }
  return lines;
}

}  // namespace

TextTable make_run_table(const Report& report, std::size_t most) {
  RunColumns columns = run_columns(report);
  std::vector<RunLine> lines = finished_runs(report);
  std::erase_if(columns, [&](const ColumnOf<RunLine>& column) {
    return column.column.title.empty() ||
           std::all_of(lines.begin(), lines.end(),
                       [&](const RunLine& line) { return cell_text(column, line).empty(); });
  });
  if (lines.size() > most) lines.resize(most);
  return text_table(columns, lines);
}

std::vector<std::string> make_run_legend(const Report& report) {
  return legend_of(run_columns(report));
}

std::string runs_csv(const Report& report) {
  return csv_file(run_columns(report), all_runs(report));
}

nlohmann::ordered_json runs_json(const Report& report) {
  return json_lines(run_columns(report), all_runs(report));
}

}  // namespace petlab::reports
