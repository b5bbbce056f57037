#include "command.hpp"
#include "petlab/results/check.hpp"

#include <iostream>

namespace petlab::app {

int run_check(const Arguments& arguments) {
  Usage usage{
      "check",
      "STORE",
      "Checks a whole store: SQLite's own checks of the file, its tables, views and triggers\n"
      "against those that petlab makes, every split, study and run, and every prediction against\n"
      "the label of its image. Reports and merges check the runs that they read anyway; this\n"
      "checks all of them and names every contradiction. Writes nothing. Exit code: 0 for\n"
      "a store that is sound, 5 for one that contradicts itself.",
      po::options_description("Options"),
      {"STORE"},
      "  petlab check results/demo.sqlite\n"};
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const std::string& file = options->text("STORE");
  const results::StoreCheck check = results::check_store(file);
  for (const std::string& problem : check.problems)
    std::cerr << "petlab: " << printable_lines(problem);
  std::cout << file << ": " << grouped_digits(check.studies) << " studies, "
            << grouped_digits(check.splits) << " splits, " << grouped_digits(check.runs)
            << " runs, " << grouped_digits(check.predictions) << " predictions: "
            << (check.problems.empty()
                    ? std::string("sound")
                    : grouped_digits(static_cast<std::int64_t>(check.problems.size())) +
                          " contradictions")
            << "\n";
  return check.problems.empty() ? kOk : kStore;
}

}  // namespace petlab::app
