#include "command.hpp"
#include "petlab/core/suggestion.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/sdk/error.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"

#include <unistd.h>

#include <iostream>

namespace petlab::app {
namespace {

/// The studies that are asked for, or the only one of the store.
std::vector<std::string> choose_studies(const results::RunStore& store, const Parsed& options) {
  const std::vector<std::string> known = store.studies();
  if (known.empty())
    throw sdk::Error(sdk::ErrorKind::store, store.path().string() + " holds no study");
  if (options.has("study")) {
    const auto& asked = options.get<std::vector<std::string>>("study");
    if (asked == std::vector<std::string>{"all"}) return known;
    return asked;
  }
  if (known.size() > 1) {
    std::string names;
    for (const std::string& name : known)
      names += (names.empty() ? "" : ", ") + name;
    throw sdk::Error(sdk::ErrorKind::config, store.path().string() + " holds several studies (" +
                                                 names +
                                                 "); name them with --study, or --study all");
  }
  return known;
}

std::vector<reports::Format> parse_formats(const std::string& text) {
  std::vector<reports::Format> formats;
  std::string rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    const std::string one = rest.substr(0, comma);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
    if (one == "markdown") {
      formats.push_back(reports::Format::markdown);
    } else if (one == "csv") {
      formats.push_back(reports::Format::csv);
    } else if (one == "html") {
      formats.push_back(reports::Format::html);
    } else {
      const std::vector<std::string> known = {"markdown", "csv", "html"};
      throw sdk::Error(sdk::ErrorKind::config,
                       "--format: unknown format '" + one + "'" + core::did_you_mean(one, known));
    }
  }
  return formats;
}

}  // namespace

void print_study_table(const std::filesystem::path& store, const std::string& study) {
  const results::RunStore results(store, results::OpenMode::read_only);
  const int columns = terminal_columns(STDOUT_FILENO);
  reports::print_table(std::cout, reports::build_report(results, study),
                       {.ansi = columns > 0, .width = columns});
}

int run_report(const Arguments& arguments) {
  Usage usage{
      "report",
      "--store FILE [options]",
      "Prints the tables of one or several studies, and writes them as files when --out names a\n"
      "folder. Reads the store only.",
      po::options_description("Options"),
      {},
      "  petlab report --store results/demo.sqlite\n"
      "  petlab report --store results/demo.sqlite --out reports/out/demo\n"
      "  petlab report --store all.sqlite --study all --title 'All studies' --out "
      "reports/out/all\n"};
  usage.options.add_options()("store", text_value()->required(), "results database")(
      "study", texts_value(),
      "name of a study, where the store holds several; may be given again, or 'all'")(
      "title", text_value(), "heading of the page (default: the names of the studies)")(
      "without-times", po::bool_switch(),
      "leave out time stamps, seconds and memory: reports of the same runs are then equal byte for "
      "byte")("out", text_value(), "folder for the report's files")(
      "format", text_value()->default_value("markdown,csv,html"), "which files");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;

  const auto formats = parse_formats(options->text("format"));
  const results::RunStore store(options->text("store"), results::OpenMode::read_only);
  reports::Page page;
  page.times = !options->get<bool>("without-times");
  if (options->has("title")) page.title = options->text("title");
  for (const std::string& study : choose_studies(store, *options))
    page.studies.push_back(reports::build_report(store, study));
  const int columns = terminal_columns(STDOUT_FILENO);
  for (std::size_t i = 0; i < page.studies.size(); ++i) {
    if (!page.times) reports::leave_out_times(page.studies[i]);
    if (i > 0) std::cout << "\n";
    reports::print_table(std::cout, page.studies[i], {.ansi = columns > 0, .width = columns});
  }
  if (options->has("out"))
    for (const auto& file : reports::write_report(page, options->text("out"), formats))
      std::cout << "wrote " << file.string() << "\n";
  return kOk;
}

}  // namespace petlab::app
