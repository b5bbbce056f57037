// Writes the pages that the browser test looks at: sample_report FOLDER makes FOLDER/one,
// FOLDER/several and FOLDER/sizes, each with its report.html, and in FOLDER/one the CSV files. The
// store is FOLDER/runs.sqlite.
#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <cstdio>
#include <exception>
#include <string>

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

// The same study as one of several that differ in their training size.
Report sized_study(Report report, const std::string& name, const std::string& size) {
  report.study = name;
  report.protocol = "[dataset]\ntrain-fraction = " + size + "\n";
  return report;
}

// A PNG file of one blue pixel.
std::string thumbnail(const std::string& /*task*/, const std::string& /*sample_id*/) {
  constexpr char kPng[] =
      "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0\x90\x77\x53\xde"
      "\0\0\0\x0cIDAT\x78\xda\x63\x30\x4e\x3b\x03\0\x02\x35\x01\x66\xb4\x6f\x97\x9e"
      "\0\0\0\0IEND\xae\x42\x60\x82";
  return {kPng, sizeof kPng - 1};
}

void write_pages(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / "runs.sqlite");
  const auto store = petlab::reports::sample::demo_store(folder / "runs.sqlite");
  const Report report = petlab::reports::build_report(store, "demo");
  write_report(Page{.title = "", .studies = {report}}, folder / "one", {Format::html, Format::csv});
  write_report(Page{.title = "Two studies", .studies = {report, second_study(report)}},
               folder / "several", {Format::html});
  Page sizes{.title = "Two sizes",
             .studies = {sized_study(report, "small", "0.1"), sized_study(report, "large", "0.4")}};
  show_images(sizes.studies.front(), /*most=*/4, thumbnail);
  write_report(sizes, folder / "sizes", {Format::html});
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
