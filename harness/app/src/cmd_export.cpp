#include "command.hpp"
#include "petlab/results/export.hpp"

#include <iostream>

namespace petlab::app {

int run_export(const Arguments& arguments) {
  Usage usage{
      "export",
      "--store FILE --out FOLDER [--study NAME]",
      "Writes each view of the store (accuracy, cost, evaluations, failures, groups, parameters,\n"
      "ranking, searches) as a CSV file (RFC 4180). results/README.md says what their columns are.",
      po::options_description("Options"),
      {},
      "  petlab export --store results/demo.sqlite --out results/csv\n"
      "  petlab export --store results/all.sqlite --out results/csv --study demo\n"};
  usage.options.add_options()("store", text_value()->required(), "results database")(
      "out", text_value()->required(), "folder for the CSV files, made where there is none")(
      "study", text_value(), "only this study's lines");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  std::optional<std::string> study;
  if (options->has("study")) study = options->text("study");
  for (const auto& file :
       results::export_views(options->text("store"), options->text("out"), study))
    std::cout << "wrote " << file.string() << "\n";
  return kOk;
}

}  // namespace petlab::app
