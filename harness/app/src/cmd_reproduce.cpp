#include "command.hpp"
#include "page_output.hpp"
#include "petlab/study/transfer.hpp"
#include "places.hpp"
#include "shipped_tables.hpp"
#include "study_command.hpp"
#include "study_stages.hpp"

#include <filesystem>
#include <iomanip>
#include <iostream>
#include <string>
#include <utility>

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
    const study::Protocol protocol =
        study::read_protocol(std::vector<fs::path>{table.file, setting});
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

/// Why a table that tests on other data sets is left out of all of them, as the end of a sentence;
/// "" where nothing is in its way.
std::string transfer_obstacle(const study::Protocol& protocol) {
  for (const study::TransferTarget& target : study::transfer_targets(protocol.dataset)) {
    const std::string root = target.dataset.root.string();
    if (study::is_own_data_set(protocol.dataset, target))
      return "it tests on the data set " + root + ", which is the setting's own";
    if (!fs::exists(target.dataset.root))
      return "it tests on the data set " + root + ", which is not there";
  }
  return "";
}

}  // namespace

int run_reproduce(const Arguments& arguments) {
  Usage usage{
      "reproduce",
      "TABLE [options]",
      "Runs what shipped tables are missing, prints them and writes one page about all of them.\n"
      "TABLE is one of those that --list names, several with commas between, all, or a protocol\n"
      "file with rows. The setting (--on) says data, backbone, seeds and training: a name or a\n"
      "file. A run that several tables hold is computed once. The page goes to --out (default:\n"
      "reports/out/<setting>). Other options are those of petlab run.",
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
      "protocols", text_value(), "folder with tables/ and settings/ (default: the project's)");
  add_page_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const fs::path folder = protocols_folder(*options);
  const fs::path setting = choose_setting(options->text("on"), folder);
  if (options->get<bool>("list") || !options->has("TABLE")) {
    list_tables(folder, setting);
    return kOk;
  }

  check_page_options(*options);
  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);
  std::vector<study::Protocol> protocols;
  const bool all = options->text("TABLE") == "all";
  for (const ShippedTable& table : choose_tables(options->text("TABLE"), folder))
    for (const std::vector<fs::path>& files : table.studies(setting)) {
      study::Protocol protocol = read_study(files, *options);
      const std::string obstacle = all ? transfer_obstacle(protocol) : "";
      if (obstacle.empty())
        protocols.push_back(std::move(protocol));
      else
        std::cerr << "petlab: table " << table.name << " is left out: " << obstacle << std::endl;
    }
  StudyStages stages(std::move(protocols), *options, *plugins);
  std::vector<PreparedStudy> studies;
  const int code = run_stages(stages, *options, studies);
  const std::string where = setting.stem().string();
  if (code == kInterrupted || studies.empty()) return code;

  std::vector<std::string> names;
  for (const PreparedStudy& study : studies)
    names.push_back(study.protocol.name);
  std::cout << "\n";
  show_page(studies.front().store, names, *options,
            {.title = "petlab: tables on " + where, .out = fs::path("reports") / "out" / where});
  return code;
}

}  // namespace petlab::app
