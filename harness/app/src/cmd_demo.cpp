#include "command.hpp"
#include "petlab/results/study_name.hpp"
#include "places.hpp"

#include <filesystem>

namespace petlab::app {

int run_demo(const Arguments& arguments) {
  namespace fs = std::filesystem;
  Usage usage{
      "demo",
      "[options]",
      "Runs the demo's study, protocols/demo.ini, on the embedded data set and backbone, and\n"
      "writes its report. Runs that the store has already are not repeated. All of it takes\n"
      "some 15 minutes on 2 cores; --quick runs 4 rows with one seed.",
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
