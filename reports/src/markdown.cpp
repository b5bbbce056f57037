#include "machine_paths.hpp"
#include "numbers.hpp"
#include "renderers.hpp"
#include "row_table.hpp"
#include "side_tables.hpp"
#include "table_model.hpp"
#include "test_table.hpp"
#include "verdict.hpp"

namespace petlab::reports {
namespace {

// Text that Markdown shows as it is.
std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      result += ' ';
      continue;
    }
    if (std::string("\\`*_[]<>|#").find(c) != std::string::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string emphasised(const std::string& text, Place place) {
  if (place == Place::best) return "**" + text + "**";
  if (place == Place::second) return "_" + text + "_";
  return text;
}

void add_table(std::string& page, const TextTable& table) {
  page += '|';
  for (const Column& column : table.columns)
    page += ' ' + escaped(column.heading()) + " |";
  page += "\n|";
  for (const Column& column : table.columns)
    page += column.align == Align::left ? "---|" : "---:|";
  page += '\n';
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    page += '|';
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      const std::string cell = escaped(table.rows[r][c]);
      page += ' ' + emphasised(cell, place_of(table, r, c)) + " |";
    }
    page += '\n';
  }
}

void add_list(std::string& page, const std::string& title, const std::vector<std::string>& items) {
  if (items.empty()) return;
  page += "\n## " + title + "\n\n";
  for (const std::string& item : items)
    page += "- " + escaped(item) + "\n";
}

void add_affinity(std::string& page, const results::GroupingRecord& grouping) {
  const std::size_t n = grouping.tasks.size();
  page += "\n| affinity |";
  for (const std::string& task : grouping.tasks)
    page += ' ' + escaped(task) + " |";
  page += "\n|---|";
  for (std::size_t i = 0; i < n; ++i)
    page += "---:|";
  for (std::size_t i = 0; i < n; ++i) {
    page += "\n| " + escaped(grouping.tasks[i]) + " |";
    for (std::size_t j = 0; j < n; ++j)
      page += ' ' + fixed(grouping.affinity[i * n + j], 3) + " |";
  }
  page += '\n';
}

void add_groupings(std::string& page, const Report& report) {
  if (report.groupings.empty()) return;
  page += "\n## Groupings\n";
  for (const FoundGrouping& found : report.groupings) {
    page += "\n" + escaped(grouping_text(found, report.times)) + "\n";
    if (!found.grouping.affinity.empty()) add_affinity(page, found.grouping);
  }
}

std::vector<std::string> failure_texts(const Report& report) {
  std::vector<std::string> texts;
  for (const Failure& failure : report.failures)
    texts.push_back(without_machine_paths(failure_text(failure)));
  return texts;
}

}  // namespace

std::string markdown_page(const Report& report, const std::string& figure) {
  std::string page = "# Study " + escaped(report.study) + "\n\n";
  const std::string nothing = nothing_to_show(report);
  if (!nothing.empty()) {
    page += escaped(nothing) + "\n";
    add_list(page, "Failed runs", failure_texts(report));
    return page;
  }
  if (const std::string words = study_description(report); !words.empty())
    page += escaped(without_machine_paths(words)) + "\n\n";
  page += escaped(study_verdict(report)) + "\n\n";
  for (const auto& [name, text] : report.facts) {
    page += "- **" + escaped(name) + "**: " + escaped(without_machine_paths(text)) + "\n";
  }
  page += "\n## Accuracy and cost\n\n";
  add_table(page, make_table(report));
  page += "\n**best**, _second best_ of each domain and of the means, among rows without gaps.\n";
  for (const std::string& line : make_legend(report))
    page += "\n" + escaped(line) + "\n";
  for (const SideTable& side : side_tables(report)) {
    page += "\n## " + side.title + "\n\n";
    add_table(page, side.table);
    for (const std::string& line : side.legend)
      page += "\n" + escaped(line) + "\n";
  }
  if (const TextTable tests = make_test_table(report); !tests.rows.empty()) {
    page += "\n## Differences and tests\n\n";
    add_table(page, tests);
    for (const std::string& line : make_test_legend(report))
      page += "\n" + escaped(line) + "\n";
  }
  if (!figure.empty()) page += "\n![Accuracy against trainable parameters](" + figure + ")\n";
  std::vector<std::string> notes;
  for (const Note& note : report.notes)
    notes.push_back(without_machine_paths(note));
  add_list(page, "Notes", notes);
  add_groupings(page, report);
  add_list(page, "Failed runs", failure_texts(report));
  return page;
}

}  // namespace petlab::reports
