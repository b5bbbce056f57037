// Writes the pages that the browser test looks at: sample_report FOLDER makes FOLDER/one and
// FOLDER/several, each with its report.html, and
// in FOLDER/one the CSV files. The store is FOLDER/runs.sqlite.
#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <cstdio>
#include <exception>

namespace {

using petlab::reports::Format;
using petlab::reports::Page;
using petlab::reports::Report;

// The same study under a name that a page must not take for markup, with a diagram of mean ranks.
Report second_study(Report report) {
  report.study = "<script>alert(1)</script> & \"more\"";
  report.ranks.ranking = petlab::reports::Ranking{
      .mean_ranks = {2.6, 1.0, 2.4}, .critical_difference = 1.2, .groups = {{0, 2}}};
  report.ranked_rows = {0, 1, 2};
  return report;
}

void write_pages(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / "runs.sqlite");
  const auto store = petlab::reports::sample::demo_store(folder / "runs.sqlite");
  const Report report = petlab::reports::build_report(store, "demo");
  write_report(Page{.title = "", .studies = {report}}, folder / "one", {Format::html, Format::csv});
  write_report(Page{.title = "Two studies", .studies = {report, second_study(report)}},
               folder / "several", {Format::html});
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: sample_report FOLDER\n");
    return 2;
  }
  try {
    write_pages(arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sample_report: %s\n", error.what());
    return 1;
  }
  return 0;
}
