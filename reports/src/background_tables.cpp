#include "background_tables.hpp"

#include "column_list.hpp"
#include "machine_paths.hpp"
#include "numbers.hpp"
#include "petlab/results/study_name.hpp"

#include <algorithm>
#include <map>

namespace petlab::reports {
namespace {

using results::SearchRecord;

struct Setting {
  std::string name;
  std::vector<std::pair<std::string, int>> values;  // each with its number of runs
};

// In the order of their first appearance.
std::vector<Setting> settings_of(const Report& report) {
  std::vector<Setting> settings;
  std::map<std::string, std::size_t> places;
  for (const Row& row : report.rows) {
    for (const SeedResult& seed : row.seeds) {
      for (const auto& [name, value] : seed.environment) {
        const auto [place, added] = places.emplace(name, settings.size());
        if (added) settings.push_back({name, {}});
        auto& values = settings[place->second].values;
        const auto known =
            std::find_if(values.begin(), values.end(),
                         [&value](const auto& counted) { return counted.first == value; });
        if (known == values.end()) {
          values.emplace_back(value, 1);
        } else {
          ++known->second;
        }
      }
    }
  }
  return settings;
}

std::string values_text(const Setting& setting, int finished) {
  std::string text;
  for (const auto& [value, runs] : setting.values) {
    if (!text.empty()) text += "; ";
    text += without_machine_paths(value);
    if (setting.values.size() > 1 || runs != finished)
      text += " (" + std::to_string(runs) + (runs == 1 ? " run)" : " runs)");
  }
  return text;
}

std::string row_label(const Report& report, const SearchRecord& search) {
  const auto index = static_cast<std::size_t>(search.row_index);
  return index < report.rows.size() ? report.rows[index].label : "row " + std::to_string(index);
}

// A value at an edge of its grid is marked: the best may lie beyond it.
std::string chosen_text(const SearchRecord& search) {
  std::string text;
  for (const auto& [name, value] : search.chosen) {
    text += (text.empty() ? "" : ", ") + name + " " + value;
    for (const auto& [key, edge] : search.edges)
      if (key == name) text += " (" + edge + " tried)";
  }
  return text;
}

std::string trials_text(const SearchRecord& search) {
  std::string text = std::to_string(search.trials);
  if (search.added_trials > 0) text += " (" + std::to_string(search.added_trials) + " added)";
  if (const std::size_t rungs = results::rung_of(search.study); rungs > 0)
    text += " in " + std::to_string(rungs) + (rungs == 1 ? " rung" : " rungs");
  return text;
}

// "280 (64 to 75 a task)".
std::string images_text(const SearchRecord& search) {
  if (search.images.empty()) return "";
  std::int64_t sum = 0;
  std::int64_t low = search.images.front().second;
  std::int64_t high = low;
  for (const auto& [task, images] : search.images) {
    sum += images;
    low = std::min(low, images);
    high = std::max(high, images);
  }
  return std::to_string(sum) + " (" + std::to_string(low) +
         (low == high ? "" : " to " + std::to_string(high)) + " a task)";
}

}  // namespace

TextTable make_environment_table(const Report& report) {
  const ColumnList<Setting> columns = {
      {.column = {.title = "environment", .align = Align::left},
       .text = [](const Setting& setting) { return setting.name; }},
      {.column = {.title = "value", .align = Align::left},
       .text = [&](const Setting& setting) { return values_text(setting, report.finished); }}};
  return text_table(columns, settings_of(report));
}

TextTable make_search_table(const Report& report) {
  const ColumnList<SearchRecord> columns = {
      {.column = {.title = "row", .align = Align::left},
       .text = [&](const SearchRecord& search) { return row_label(report, search); }},
      {.column = {.title = "search", .align = Align::left},
       .text = [](const SearchRecord& search) { return search.strategy; }},
      {.column = {.title = "trials"}, .text = trials_text},
      {.column = {.title = "trial runs"},
       .text = [](const SearchRecord& search) { return std::to_string(search.trial_runs); }},
      {.column = {.title = "chosen settings", .align = Align::left}, .text = chosen_text},
      {.column = {.title = "scored on", .align = Align::left},
       .text = [](const SearchRecord& search) { return search.scored_on; }},
      {.column = {.title = "images"}, .text = images_text},
      {.column = {.title = "validation", .unit = "%"},
       .text =
           [](const SearchRecord& search) { return fixed(100.0 * search.validation_accuracy, 2); }},
      {.column = {.title = "standard error", .unit = "points"},
       .text =
           [](const SearchRecord& search) {
             return search.standard_error ? fixed(100.0 * *search.standard_error, 2) : "";
           }},
      {.column = {.title = "study of the trials", .align = Align::left},
       .text = [](const SearchRecord& search) { return search.study; }}};
  return text_table(columns, report.searches);
}

}  // namespace petlab::reports
