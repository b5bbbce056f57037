#include "run_table.hpp"

#include "numbers.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace petlab::reports {
namespace {

constexpr double kMega = 1e6;
constexpr double kGiga = 1e9;

struct RunColumn {
  Column column;
  std::function<std::string(const SeedResult&)> cell;  // "" where there is nothing
};

std::string count_cell(std::int64_t value) {
  return grouped_digits(value);
}

std::string scaled(const std::optional<double>& value, double unit, int places) {
  return value ? fixed(*value / unit, places) : std::string();
}

std::string scaled(const std::optional<std::int64_t>& value, double unit, int places) {
  return value ? fixed(static_cast<double>(*value) / unit, places) : std::string();
}

std::string seconds_cell(const std::optional<double>& value) {
  return value ? seconds(*value) : std::string();
}

std::vector<RunColumn> run_columns(bool times) {
  const auto right = [](const char* title) { return Column{title, Align::right, 0, false}; };
  const auto left = [](const char* title) { return Column{title, Align::left, 0, false}; };
  std::vector<RunColumn> columns = {
      {right("seed"), [](const SeedResult& s) { return std::to_string(s.seed); }},
      {right("mean %"), [](const SeedResult& s) { return fixed(100.0 * s.mean_accuracy, 2); }},
      {right("trainable"), [](const SeedResult& s) { return count_cell(s.trainable); }},
      {right("stored MB"),
       [](const SeedResult& s) { return fixed(static_cast<double>(s.stored_bytes) / kMega, 3); }}};
  if (times) {
    columns.push_back(
        {right("train s"), [](const SeedResult& s) { return seconds_cell(s.train_seconds); }});
    columns.push_back(
        {right("test s"), [](const SeedResult& s) { return seconds_cell(s.evaluate_seconds); }});
    columns.push_back({right("peak host MB"),
                       [](const SeedResult& s) { return scaled(s.peak_host_bytes, kMega, 0); }});
    columns.push_back({right("peak device MB"),
                       [](const SeedResult& s) { return scaled(s.peak_device_bytes, kMega, 0); }});
  }
  columns.push_back(
      {right("GFLOP a step"), [](const SeedResult& s) { return scaled(s.step_flops, kGiga, 3); }});
  columns.push_back({right("GFLOP an image"),
                     [](const SeedResult& s) { return scaled(s.image_flops, kGiga, 4); }});
  columns.push_back({right("test evaluations"),
                     [](const SeedResult& s) { return std::to_string(s.test_evaluations); }});
  columns.push_back({left("determinism"), [](const SeedResult& s) { return s.determinism; }});
  if (times) {
    columns.push_back(
        {right("resumed"), [](const SeedResult& s) { return std::to_string(s.resumed); }});
    columns.push_back({left("started"), [](const SeedResult& s) { return s.started; }});
  }
  columns.push_back({left("identity"), [](const SeedResult& s) { return s.run; }});
  columns.push_back({left("trained weights"), [](const SeedResult& s) { return s.trained_hash; }});
  return columns;
}

bool is_used(const RunColumn& column, const Report& report) {
  return std::any_of(report.rows.begin(), report.rows.end(), [&](const Row& row) {
    return std::any_of(row.seeds.begin(), row.seeds.end(),
                       [&](const SeedResult& seed) { return !column.cell(seed).empty(); });
  });
}

std::string or_nothing(std::string text) {
  return text.empty() ? kNothing : text;
}

}  // namespace

TextTable make_run_table(const Report& report, std::size_t most) {
  std::vector<RunColumn> columns = run_columns(report.times);
  std::erase_if(columns, [&](const RunColumn& column) { return !is_used(column, report); });
  TextTable table;
  table.columns = {{"row", Align::left, 0, false}};
  for (const RunColumn& column : columns)
    table.columns.push_back(column.column);
  for (const Row& row : report.rows) {
    for (const SeedResult& seed : row.seeds) {
      if (table.rows.size() == most) return table;
      std::vector<std::string> cells = {row.label};
      for (const RunColumn& column : columns)
        cells.push_back(or_nothing(column.cell(seed)));
      table.rows.push_back(std::move(cells));
      table.places.push_back(Place::none);
    }
  }
  return table;
}

std::vector<std::string> make_run_legend(const Report& report) {
  std::vector<std::string> legend = {
      "identity: SHA-256 over everything that is meant to decide the result; a run of the same "
      "identity is never done twice. trained weights: digest of the trained parameters at the end. "
      "stored: what has to be kept to use the adapters later."};
  if (report.times) legend.push_back("peak: largest resident memory of the run's own process.");
  return legend;
}

TextTable make_environment_table(const Report& report) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::pair<std::string, int>>> values;
  for (const Row& row : report.rows) {
    for (const SeedResult& seed : row.seeds) {
      for (const auto& [name, value] : seed.environment) {
        if (!values.contains(name)) order.push_back(name);
        auto& counts = values[name];
        const auto known = std::find_if(counts.begin(), counts.end(),
                                        [&](const auto& count) { return count.first == value; });
        if (known == counts.end()) {
          counts.emplace_back(value, 1);
        } else {
          ++known->second;
        }
      }
    }
  }
  TextTable table;
  table.columns = {{"environment", Align::left, 0, false}, {"value", Align::left, 0, false}};
  for (const std::string& name : order) {
    const auto& counts = values[name];
    std::string text;
    for (const auto& [value, runs] : counts) {
      if (!text.empty()) text += "; ";
      text += value;
      if (counts.size() > 1 || runs != report.finished)
        text += " (" + std::to_string(runs) + (runs == 1 ? " run)" : " runs)");
    }
    table.rows.push_back({name, text});
    table.places.push_back(Place::none);
  }
  return table;
}

TextTable make_search_table(const Report& report) {
  TextTable table;
  table.columns = {{"row", Align::left, 0, false},
                   {"search", Align::left, 0, false},
                   {"trials", Align::right, 0, false},
                   {"trial runs", Align::right, 0, false},
                   {"chosen settings", Align::left, 0, false},
                   {"validation %", Align::right, 0, false},
                   {"study of the trials", Align::left, 0, false}};
  for (const results::SearchRecord& search : report.searches) {
    const auto index = static_cast<std::size_t>(search.row_index);
    std::string chosen;
    for (const auto& [name, value] : search.chosen)
      chosen += (chosen.empty() ? "" : ", ") + name + " " + value;
    table.rows.push_back(
        {index < report.rows.size() ? report.rows[index].label : "row " + std::to_string(index),
         search.strategy, std::to_string(search.trials), std::to_string(search.trial_runs),
         or_nothing(chosen), fixed(100.0 * search.validation_accuracy, 2),
         or_nothing(search.study)});
    table.places.push_back(Place::none);
  }
  return table;
}

}  // namespace petlab::reports
