#include "command.hpp"
#include "petlab/results/merge.hpp"

#include <iostream>

namespace petlab::app {
namespace {

std::string counted(std::int64_t number, const std::string& one, const std::string& several) {
  return grouped_digits(number) + " " + (number == 1 ? one : several);
}

void print(const results::MergeReport& report, const std::filesystem::path& into) {
  std::cout << into.string() << ": " << counted(report.runs_added, "run", "runs") << " added, "
            << grouped_digits(report.runs_replaced) << " in place of a failed one, "
            << grouped_digits(report.runs_kept) << " were there; "
            << counted(report.studies_added, "study", "studies") << " and "
            << counted(report.splits_added, "split", "splits") << " added";
  if (report.adapters_copied > 0)
    std::cout << "; adapters of " << counted(report.adapters_copied, "run", "runs") << " copied";
  std::cout << "\n";
  for (const std::string& sentence : report.renamed)
    std::cout << sentence << "\n";
  std::cout << std::flush;
  for (const std::string& sentence : report.without_adapters)
    std::cerr << "petlab: " << sentence << "; the run came without them\n";
  for (const std::string& sentence : report.differences)
    std::cerr << "petlab: " << sentence << "\n";
}

}  // namespace

int run_merge(const Arguments& arguments) {
  Usage usage{
      "merge",
      "INTO FROM... [--rename]",
      "Joins the stores of several machines: everything in the files FROM comes into INTO, which\n"
      "is made where there is none, with the adapters of its runs. FROM is only read. A finished "
      "run wins over a failed one of\n"
      "the same identity. Merging again changes nothing, and a merge that is refused changes\n"
      "nothing. Exit code: 5 when two finished runs of one identity have different weights or\n"
      "predictions; the one in INTO stays, and a line says how the other differs.",
      po::options_description("Options"),
      {"INTO", "FROM..."},
      "  petlab merge results/all.sqlite results/gpu1.sqlite results/gpu2.sqlite\n"
      "  petlab merge results/all.sqlite results/old.sqlite --rename\n"};
  usage.options.add_options()("rename", po::bool_switch(),
                              "keep a study whose name is taken by another plan as NAME-FILE");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const std::filesystem::path into = options->text("INTO");
  const auto& texts = options->get<std::vector<std::string>>("FROM");
  const results::MergeReport report = results::merge_stores(
      into, {texts.begin(), texts.end()}, {.rename = options->get<bool>("rename")});
  print(report, into);
  return report.differences.empty() ? kOk : kStore;
}

}  // namespace petlab::app
