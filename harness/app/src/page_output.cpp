#include "page_output.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "progress_view.hpp"
#include "published_numbers.hpp"
#include "thumbnails.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>
#include <sstream>
#include <utility>

namespace petlab::app {
namespace {

std::vector<reports::Format> parse_formats(const std::string& text) {
  const std::vector<std::pair<std::string, reports::Format>> known = {
      {"markdown", reports::Format::markdown}, {"csv", reports::Format::csv},
      {"json", reports::Format::json},         {"latex", reports::Format::latex},
      {"html", reports::Format::html},         {"figures", reports::Format::figures}};
  std::vector<reports::Format> formats;
  std::istringstream names(text);
  for (std::string name; std::getline(names, name, ',');) {
    const auto format = std::find_if(known.begin(), known.end(),
                                     [&](const auto& each) { return each.first == name; });
    if (format == known.end()) {
      std::vector<std::string> all;
      for (const auto& each : known)
        all.push_back(each.first);
      throw base::Error(base::ErrorKind::config,
                        "--format: unknown format '" + name + "'" + base::did_you_mean(name, all));
    }
    formats.push_back(format->second);
  }
  return formats;
}

/// Which of the CSV files --table prints.
reports::CsvTable parse_table(const Parsed& options) {
  if (!options.has("table")) return reports::CsvTable::rows;
  const std::vector<std::pair<std::string, reports::CsvTable>> known = {
      {"rows", reports::CsvTable::rows},
      {"runs", reports::CsvTable::runs},
      {"classes", reports::CsvTable::classes},
      {"confusions", reports::CsvTable::confusions}};
  std::vector<std::string> names;
  for (const auto& [name, table] : known) {
    if (options.text("table") == name) return table;
    names.push_back(name);
  }
  base::throw_config_error("--table is '" + base::escaped(options.text("table")) +
                           "', expected rows, runs, classes or confusions" +
                           base::did_you_mean(options.text("table"), names));
}

bool is_given(const Parsed& options, const std::string& name) {
  return options.has(name) && !options.values[name].defaulted();
}

/// Columns that are asked for by their names in table.csv, or all of them.
std::vector<std::string> parse_columns(const Parsed& options) {
  if (!options.has("columns")) return {};
  const std::vector<std::string> known = reports::optional_columns();
  std::vector<std::string> columns;
  for (const std::string& name : split_list(options.text("columns"))) {
    if (name == "all") return known;
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      base::throw_config_error("--columns: unknown column '" + base::escaped(name) + "'" +
                               base::did_you_mean(name, known) + "; there are " +
                               base::joined(known) + ", and all");
    }
    columns.push_back(name);
  }
  return columns;
}

int images_of(const Parsed& options) {
  constexpr int kMostImages = 100;  // of each row: a page of more would not open
  return count_of(options, "images", 0, kMostImages);
}

std::filesystem::path folder_of(const Parsed& options, const PageDefaults& defaults) {
  return options.has("out") ? std::filesystem::path(options.text("out")) : defaults.out;
}

// The figures in one line: there may be a hundred.
void print_written(const std::vector<std::filesystem::path>& files) {
  std::set<std::filesystem::path> figures;
  for (const auto& file : files) {
    if (file.parent_path().filename() == "figures") {
      figures.insert(file);
    } else {
      std::cout << "wrote " << file.string() << "\n";
    }
  }
  if (!figures.empty()) {
    std::cout << "wrote " << figures.size() << " figure files into "
              << figures.begin()->parent_path().string() << "\n";
  }
}

}  // namespace

void add_page_options(po::options_description& options) {
  options.add_options()("title", text_value(),
                        "heading of the page (default: the names of the studies)")(
      "without-times", po::bool_switch(),
      "leave out time stamps, seconds and memory: reports of the same runs are then equal byte for "
      "byte")("out", text_value(), "folder for the report's files")(
      "format", text_value()->default_value("markdown,csv,latex,html,figures"),
      "which files: markdown, csv, json, latex, html, figures; without a folder for them, one of "
      "the "
      "first four is printed instead of the table")(
      "columns", text_value(),
      ("further columns of the table, by their names in table.csv with commas between, or all: " +
       base::joined(reports::optional_columns()))
          .c_str())(
      "images", po::value<int>()->default_value(0),
      "on the HTML page, of each row: up to so many test images that it and the best row answer "
      "differently, as thumbnails. These are copies of the data set's images: not for a page that "
      "you pass on where its licence forbids that");
  add_published_option(options);
}

void check_page_options(const Parsed& options) {
  const auto formats = parse_formats(options.text("format"));
  const bool html =
      std::find(formats.begin(), formats.end(), reports::Format::html) != formats.end();
  if (images_of(options) > 0 && !html)
    base::throw_config_error(
        "--images puts thumbnails on the HTML page: expected html among the formats of --format");
  (void)parse_columns(options);
  (void)parse_table(options);
  check_published(options);
}

bool prints_format(const Parsed& options, const PageDefaults& defaults) {
  return folder_of(options, defaults).empty() && is_given(options, "format");
}

void show_page(const std::filesystem::path& store, const std::vector<std::string>& studies,
               const Parsed& options, const PageDefaults& defaults) {
  const auto formats = parse_formats(options.text("format"));
  const results::RunStore results(store, results::OpenMode::read_only);
  const std::filesystem::path out = folder_of(options, defaults);
  const auto images = static_cast<std::size_t>(images_of(options));
  if (images > 0 && out.empty())
    base::throw_config_error(
        "--images puts thumbnails on the HTML page: expected --out and a folder for it");
  Thumbnails thumbnails(options.has("dataset-root") ? options.text("dataset-root") : "");
  reports::Page page;
  page.times = !options.get<bool>("without-times");
  page.title = options.has("title") ? options.text("title") : defaults.title;
  for (const std::string& study : studies) {
    page.studies.push_back(reports::build_report(results, study));
    page.studies.back().columns = parse_columns(options);
    if (images > 0)
      reports::show_images(page.studies.back(), images, thumbnails.of(page.studies.back()));
  }
  quote_published(page.studies, options);
  const bool printed = prints_format(options, defaults);
  if (options.has("table") &&
      !(printed && formats == std::vector<reports::Format>{reports::Format::csv}))
    base::throw_config_error(
        "--table says which lines --format csv prints: expected it with "
        "--format csv and without --out");
  if (printed) {
    if (formats.size() != 1)
      base::throw_config_error("--format names " + std::to_string(formats.size()) +
                               " formats and there is no folder for their files: expected --out, "
                               "or one format to print");
    std::cout << reports::report_text(page, formats.front(), parse_table(options));
    return;
  }
  const int columns = terminal_columns(STDOUT_FILENO);
  for (std::size_t i = 0; i < page.studies.size(); ++i) {
    if (!page.times) reports::leave_out_times(page.studies[i]);
    if (i > 0) std::cout << "\n";
    reports::print_table(std::cout, page.studies[i], {.ansi = shows_marks(), .width = columns});
  }
  reports::print_joint_tables(std::cout, page.studies, {.ansi = shows_marks(), .width = columns});
  if (out.empty()) return;
  print_written(reports::write_report(page, out, formats));
}

}  // namespace petlab::app
