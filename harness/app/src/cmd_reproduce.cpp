#include "command.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/sdk/error.hpp"
#include "places.hpp"
#include "progress_view.hpp"
#include "shipped_tables.hpp"
#include "study_command.hpp"

#include <unistd.h>

#include <iomanip>
#include <iostream>

namespace petlab::app {
namespace fs = std::filesystem;
namespace {

fs::path protocols_folder(const Parsed& options) {
  return options.has("protocols") ? fs::path(options.text("protocols"))
                                  : project_home() / "harness" / "protocols";
}

void list_tables(const fs::path& protocols, const fs::path& setting) {
  std::cout << "Tables (rows; studies where there are several):\n";
  for (const ShippedTable& table : shipped_tables(protocols)) {
    const core::Protocol protocol = core::read_protocol(std::vector<fs::path>{table.file, setting});
    std::cout << "  " << std::left << std::setw(14) << table.name << "  " << protocol.description
              << " (" << protocol.rows.size() << " rows";
    if (table.members.size() > 1) std::cout << "; " << table.members.size() << " studies";
    std::cout << ")\n";
  }
  std::cout << "Settings (--on):\n ";
  for (const std::string& name : shipped_settings(protocols))
    std::cout << " " << name;
  std::cout << "\n";
}

}  // namespace

int run_reproduce(const Arguments& arguments) {
  Usage usage{
      "reproduce",
      "TABLE [options]",
      "Runs what shipped tables are missing, prints them and writes one page about all of them.\n"
      "TABLE is one of those that --list names, several with commas between, all, or a protocol\n"
      "file with rows. The setting (--on) says data, backbone, seeds and training: a name or a\n"
      "file. A run that several tables hold is computed once. Other options are those of petlab\n"
      "run.",
      po::options_description("Options"),
      {"TABLE"},
      "  petlab reproduce --list\n"
      "  petlab reproduce sharing,depth --seeds 1\n"
      "  petlab reproduce all --on icon-home --out reports/out/tables\n"
      "  petlab reproduce multi-task --on office-home-10 --dataset-root ~/data/OfficeHome \\\n"
      "      --backbone ~/models/clip-vit-base-patch16\n"};
  usage.positional_optional = true;
  add_study_options(usage.options);
  add_running_options(usage.options);
  usage.options.add_options()("on", text_value()->default_value("icon-home"),
                              "setting: data, backbone, seeds, training")(
      "list", po::bool_switch(), "list tables and settings")(
      "out", text_value(), "folder of the page (default: reports/out/<setting>)")(
      "protocols", text_value(), "folder with tables/ and settings/ (default: the project's)");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const fs::path protocols = protocols_folder(*options);
  const fs::path setting = choose_setting(options->text("on"), protocols);
  if (options->get<bool>("list") || !options->has("TABLE")) {
    list_tables(protocols, setting);
    return kOk;
  }

  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);
  std::vector<PreparedStudy> studies;
  const std::string where = setting.stem().string();
  for (const ShippedTable& table : choose_tables(options->text("TABLE"), protocols))
    for (const std::vector<fs::path>& files : table.studies(setting)) {
      studies.push_back(prepare_study(files, *options, *plugins));
      if (!options->has("store")) studies.back().store = fs::path("results") / (where + ".sqlite");
    }
  const int code = run_missing(studies, *options);
  if (code == kInterrupted) return code;

  const results::RunStore store(studies.front().store, results::OpenMode::read_only);
  reports::Page page;
  page.title = "petlab: tables on " + where;
  const int columns = terminal_columns(STDOUT_FILENO);
  for (const PreparedStudy& study : studies) {
    page.studies.push_back(reports::build_report(store, study.protocol.name));
    std::cout << "\n";
    reports::print_table(std::cout, page.studies.back(), {.ansi = columns > 0, .width = columns});
  }
  const fs::path out =
      options->has("out") ? fs::path(options->text("out")) : fs::path("reports") / "out" / where;
  std::cout << "\n";
  for (const auto& file : reports::write_report(
           page, out, {reports::Format::markdown, reports::Format::csv, reports::Format::html}))
    std::cout << "wrote " << file.string() << "\n";
  return code;
}

}  // namespace petlab::app
