#include "command.hpp"
#include "petlab/base/command_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/study_name.hpp"
#include "places.hpp"

#include <filesystem>
#include <iostream>
#include <string>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  const auto start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

/// Where the images are not there: fetches the drawings that they are made of, as set-up does, and
/// renders them.
void build_icon_home() {
  if (fs::exists(icon_home_pictures())) return;
  std::cerr << "Icon-Home: fetching its drawings with npm (104 MB, about 1 minute)" << std::endl;
  const fs::path script = project_home() / "harness" / "setup" / "icon_package.sh";
  const base::CommandOutput said = base::run_command({"bash", script, default_cache()});
  if (said.code != 0)
    throw base::Error(base::ErrorKind::data, "the drawings of Icon-Home could not be fetched: " +
                                                 base::message_line(last_line(said.err), 400));
  (void)run_datasets({"build", "icon-home", "--package", last_line(said.out)});
}

}  // namespace

int run_demo(const Arguments& arguments) {
  Usage usage{
      "demo",
      "[options]",
      "Runs the demo's study, protocols/demo.ini, on the embedded data set and backbone, and\n"
      "writes its report. Runs that the store has already are not repeated. All of it takes\n"
      "some 10 minutes on 2 cores; --quick runs 4 rows with one seed. Images that are not there\n"
      "are made of drawings that npm fetches.",
      po::options_description("Options"),
      {},
      "  petlab demo --quick\n"
      "  petlab demo --store demo.sqlite --out report\n"};
  usage.options.add_options()("quick", po::bool_switch(),
                              "only zero-shot, CoOp, MmAP and full fine-tuning, with one seed")(
      "store", text_value()->default_value("results/demo.sqlite"), "results database")(
      "out", text_value()->default_value("reports/out/demo"), "folder for the report's files");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  build_icon_home();
  const fs::path study = project_home() / "harness" / "protocols" / "demo.ini";
  Arguments run = {study.string(), "--store",        options->text("store"),
                   "--no-table",   "--dataset-root", icon_home_pictures().string()};
  if (options->get<bool>("quick"))
    run.insert(run.end(),
               {"--rows", "zero-shot,coop-joint,mmap-joint,full-ft-joint", "--seeds", "1"});
  if (const int code = run_study(run); code != kOk && code != kRunFailed) return code;
  const std::string name =
      options->get<bool>("quick") ? results::variant_name("demo", {"seeds=1"}) : "demo";
  return run_report(
      {"--store", options->text("store"), "--study", name, "--out", options->text("out")});
}

}  // namespace petlab::app
