#include "command.hpp"
#include "page_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/study_name.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <set>

namespace petlab::app {
namespace {

/// STORE, or --store.
std::string store_of(const Parsed& options) {
  if (options.has("STORE") && options.has("store") &&
      options.text("STORE") != options.text("store"))
    base::throw_config_error("petlab report: STORE is " + options.text("STORE") + ", --store is " +
                             options.text("store") + "; expected one of them");
  for (const char* name : {"STORE", "store"})
    if (options.has(name)) return options.text(name);
  base::throw_config_error("petlab report needs STORE, or --store FILE; see petlab report --help");
}

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
  // The trials of a search are a study too, shown where there is nothing else yet.
  std::vector<std::string> studies = known;
  if (!std::all_of(known.begin(), known.end(), results::is_search))
    std::erase_if(studies, results::is_search);
  std::set<std::string> families;
  for (const std::string& name : studies)
    families.insert(results::base_study(name));
  if (families.size() > 1)
    throw base::Error(base::ErrorKind::config, store.path().string() + " holds several studies (" +
                                                   base::joined(studies) +
                                                   "); name them with --study, or --study all");
  // The study as its file says it stands before its variants.
  const auto plain = std::find(studies.begin(), studies.end(), *families.begin());
  return {plain != studies.end() ? *plain : studies.back()};
}

/// Which other plans of these studies the store has, in quotes.
std::vector<std::string> other_plans(const results::RunStore& store,
                                     const std::vector<std::string>& shown) {
  std::vector<std::string> others;
  for (const std::string& name : store.studies()) {
    const bool is_shown = std::find(shown.begin(), shown.end(), name) != shown.end();
    const bool is_related = std::any_of(shown.begin(), shown.end(), [&](const std::string& one) {
      return results::base_study(one) == results::base_study(name);
    });
    if (is_related && !is_shown && !results::is_search(name)) others.push_back("'" + name + "'");
  }
  return others;
}

}  // namespace

void print_study_tables(const std::filesystem::path& store,
                        const std::vector<std::string>& studies) {
  const results::RunStore results(store, results::OpenMode::read_only);
  const reports::TableStyle style{.ansi = shows_marks(), .width = terminal_columns(STDOUT_FILENO)};
  std::vector<reports::Report> all;
  for (const std::string& study : studies) {
    all.push_back(reports::build_report(results, study));
    std::cout << "\n";
    reports::print_table(std::cout, all.back(), style);
  }
  reports::print_joint_tables(std::cout, all, style);
}

int run_report(const Arguments& arguments) {
  Usage usage{
      "report",
      "STORE [options]",
      "Prints the tables of one or several studies, and writes them as files when --out names a\n"
      "folder. Reads the store only, and quoted numbers from CSV files; with --images N also the\n"
      "data set, which has to be on this machine as it was tested.",
      po::options_description("Options"),
      {"STORE"},
      "  petlab report results/demo.sqlite\n"
      "  petlab report results/demo.sqlite --out reports/out/demo\n"
      "  petlab report results/demo.sqlite --out reports/out/demo --images 12\n"
      "  petlab report results/demo.sqlite --columns macro_f1,calibration_error\n"
      "  petlab report results/demo.sqlite --format json\n"
      "  petlab report results/demo.sqlite --format csv --table confusions\n"
      "  petlab report all.sqlite --study all --title 'All studies' --out "
      "reports/out/all\n"};
  usage.positional_optional = true;
  usage.options.add_options()("store", text_value(), "results database, the same as STORE")(
      "study", texts_value(),
      "name of a study, where the store holds several; may be given again, or 'all'")(
      "table", text_value(),
      "which lines --format csv prints: rows (the default), runs, classes, confusions")(
      "dataset-root", text_value(),
      "folder of the images that --images shows, where it is not the one that the study names");
  add_page_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;

  check_page_options(*options);
  const std::string file = store_of(*options);
  std::vector<std::string> studies, others;
  {
    const results::RunStore store(file, results::OpenMode::read_only);
    studies = choose_studies(store, *options);
    others = other_plans(store, studies);
  }
  show_page(file, studies, *options);
  // Behind a table; what is printed for a program is that alone.
  if (!others.empty() && !prints_format(*options))
    std::cout << "\nOther plans of " << (studies.size() == 1 ? "this study" : "these studies")
              << " in the store (--study NAME): " << base::joined(others) << "\n";
  return kOk;
}

}  // namespace petlab::app
