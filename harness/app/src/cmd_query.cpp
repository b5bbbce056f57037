#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/reports/query_text.hpp"

#include <iostream>

namespace petlab::app {
namespace {

reports::QueryFormat format_of(const std::string& name) {
  if (name == "text") return reports::QueryFormat::text;
  if (name == "csv") return reports::QueryFormat::csv;
  if (name == "json") return reports::QueryFormat::json;
  const std::vector<std::string> known = {"text", "csv", "json"};
  base::throw_config_error("--format is '" + base::escaped(name) + "', expected text, csv or json" +
                           base::did_you_mean(name, known));
}

}  // namespace

int run_query(const Arguments& arguments) {
  Usage usage{
      "query",
      "SQL --store FILE [options]",
      "Runs one SELECT of SQLite on a results store and prints what it finds. Nothing is changed:\n"
      "whatever else SQL can do is refused. Tables and views are those of results/README.md; the\n"
      "views are ranking, accuracy, parameters, cost, searches, groups, evaluations and failures.\n"
      "The file is read as it is; petlab check looks for contradictions in it.",
      po::options_description("Options"),
      {"SQL"},
      "  petlab query 'SELECT label, seed, AVG(accuracy) FROM accuracy GROUP BY label, seed' \\\n"
      "      --store results/demo.sqlite\n"
      "  petlab query \"SELECT * FROM ranking WHERE study = 'demo'\" --store results/demo.sqlite "
      "--format csv\n"};
  usage.options.add_options()("store", text_value()->required(), "results database")(
      "format", text_value()->default_value("text"), "text, csv or json");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const reports::QueryFormat format = format_of(options->text("format"));
  reports::print_query(std::cout,
                       results::query_store(options->text("store"), options->text("SQL")), format);
  return kOk;
}

}  // namespace petlab::app
