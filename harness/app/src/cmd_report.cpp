#include "command.hpp"
#include "page_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace petlab::app {
namespace {

/// The studies that are asked for, or the only one of the store.
std::vector<std::string> choose_studies(const results::RunStore& store, const Parsed& options) {
  const std::vector<std::string> known = store.studies();
  if (known.empty())
    throw base::Error(base::ErrorKind::store, store.path().string() + " holds no study");
  if (options.has("study")) {
    const auto& asked = options.get<std::vector<std::string>>("study");
    if (asked == std::vector<std::string>{"all"}) return known;
    return asked;
  }
  std::vector<std::string> studies;  // without the trials of a search, which are studies too
  for (const std::string& name : known) {
    const auto slash = name.rfind("/search");
    const bool ends = slash != std::string::npos && slash + 7 == name.size();
    if (!ends || std::find(known.begin(), known.end(), name.substr(0, slash)) == known.end())
      studies.push_back(name);
  }
  if (studies.size() > 1) {
    std::string names;
    for (const std::string& name : studies)
      names += (names.empty() ? "" : ", ") + name;
    throw base::Error(base::ErrorKind::config, store.path().string() + " holds several studies (" +
                                                   names +
                                                   "); name them with --study, or --study all");
  }
  return studies;
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
      "folder. Reads the store only, and quoted numbers from CSV files.",
      po::options_description("Options"),
      {},
      "  petlab report --store results/demo.sqlite\n"
      "  petlab report --store results/demo.sqlite --out reports/out/demo\n"
      "  petlab report --store results/demo.sqlite --columns macro_f1,calibration_error\n"
      "  petlab report --store results/demo.sqlite --format json > demo.json\n"
      "  petlab report --store results/demo.sqlite --format csv --table confusions\n"
      "  petlab report --store all.sqlite --study all --title 'All studies' --out "
      "reports/out/all\n"};
  usage.options.add_options()("store", text_value()->required(), "results database")(
      "study", texts_value(),
      "name of a study, where the store holds several; may be given again, or 'all'")(
      "table", text_value(),
      "which lines --format csv prints: rows (the default), runs, classes, confusions");
  add_page_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;

  check_page_options(*options);
  std::vector<std::string> studies;
  {
    const results::RunStore store(options->text("store"), results::OpenMode::read_only);
    studies = choose_studies(store, *options);
  }
  show_page(options->text("store"), studies, *options);
  return kOk;
}

}  // namespace petlab::app
