#include "merge_text.hpp"

#include "command.hpp"

#include <iostream>

namespace petlab::app {
namespace {

std::string counted(std::int64_t number, const std::string& one, const std::string& several) {
  return grouped_digits(number) + " " + (number == 1 ? one : several);
}

}  // namespace

void print_merge(const results::MergeReport& report, const std::filesystem::path& into) {
  std::cout << into.string() << ": " << counted(report.runs_added, "run", "runs") << " added, "
            << grouped_digits(report.runs_replaced) << " in place of a failed one, "
            << grouped_digits(report.runs_kept) << " were there; "
            << counted(report.studies_added, "study", "studies") << " and "
            << counted(report.splits_added, "split", "splits") << " added";
  if (report.adapters_copied > 0)
    std::cout << "; adapters of " << counted(report.adapters_copied, "run", "runs") << " copied";
  std::cout << "\n";
  for (const std::string& sentence : report.joined)
    std::cout << sentence << "\n";
  for (const std::string& sentence : report.renamed)
    std::cout << sentence << "\n";
  std::cout << std::flush;
  for (const std::string& sentence : report.without_adapters)
    std::cerr << "petlab: " << sentence << "; the run came without them\n";
  for (const std::string& sentence : report.differences)
    std::cerr << "petlab: " << sentence << "\n";
}

}  // namespace petlab::app
