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

/// The study that is asked for, or the only one of the store.
std::string choose_study(const results::RunStore& store, const Parsed& options) {
  const std::vector<std::string> studies = store.studies();
  if (options.has("study")) return options.text("study");
  if (studies.empty())
    throw sdk::Error(sdk::ErrorKind::store, store.path().string() + " holds no study");
  if (studies.size() > 1) {
    std::string names;
    for (const std::string& name : studies)
      names += (names.empty() ? "" : ", ") + name;
    throw sdk::Error(sdk::ErrorKind::config, store.path().string() + " holds several studies (" +
                                                 names + "); name one with --study");
  }
  return studies.front();
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
      "Prints the table of a study, and writes it as files when --out names a folder. Reads\n"
      "the store only.",
      po::options_description("Options"),
      {},
      "  petlab report --store results/demo.sqlite\n"
      "  petlab report --store results/demo.sqlite --out reports/out/demo\n"};
  usage.options.add_options()("store", text_value()->required(), "results database")(
      "study", text_value(), "name of the study, where the store holds several")(
      "out", text_value(), "folder for the report's files")(
      "format", text_value()->default_value("markdown,csv,html"), "which files");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;

  const auto formats = parse_formats(options->text("format"));
  const results::RunStore store(options->text("store"), results::OpenMode::read_only);
  const reports::Report report = reports::build_report(store, choose_study(store, *options));
  const int columns = terminal_columns(STDOUT_FILENO);
  reports::print_table(std::cout, report, {.ansi = columns > 0, .width = columns});
  if (options->has("out"))
    for (const auto& file : reports::write_report(report, options->text("out"), formats))
      std::cout << "wrote " << file.string() << "\n";
  return kOk;
}

}  // namespace petlab::app
