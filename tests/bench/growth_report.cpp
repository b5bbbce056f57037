// How the cost of the store and of a report grows with the number of runs.
//
//   growth_report OUT.csv RUNS [RUNS ...]
//
// Appends a line "curve,x,seconds,bytes,processor" for each measurement and prints it with the
// largest memory that the process has taken so far (bytes stay 0: it is no curve of one operation).
// The store is filled with copies of up to 2,000 recorded runs; what a run costs is then measured
// with 50 more.

#include "growth_records.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace petlab;

constexpr std::int64_t kImages = 250;  // test images of each of 4 tasks
constexpr int kRecorded = 2000;
constexpr int kMore = 50;

class Curves {
 public:
  explicit Curves(const std::string& path) : file_(path, std::ios::app) {
    if (!file_) throw std::runtime_error("cannot write " + path);
  }

  template <class Work>
  void measure(const std::string& curve, int x, Work&& work, int times = 1) {
    const std::clock_t before = std::clock();
    const auto start = std::chrono::steady_clock::now();
    work();
    std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    passed /= times;
    const double processor = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC / times;
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    const long long peak = 1024LL * use.ru_maxrss;
    std::printf("  %-28s %7d %9.4f s %9.4f s of the processor; the process's peak %5.0f MB\n",
                curve.c_str(), x, passed.count(), processor, static_cast<double>(peak) / 1e6);
    std::fflush(stdout);
    file_ << curve << ',' << x << ',' << passed.count() << ",0," << processor << '\n' << std::flush;
  }

 private:
  std::ofstream file_;
};

void measure_runs(Curves& curves, int runs, const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "runs.sqlite";
  const results::StudyRecord study = bench::growth_study(runs, kImages);
  {
    results::RunStore store(path);
    for (std::uint64_t seed = 1; seed <= 10; ++seed)
      store.register_split(bench::growth_split(seed, kImages));
    for (int i = 0; i < std::min(runs, kRecorded); ++i)
      store.record(bench::growth_run(i, kImages));
  }
  if (runs > kRecorded) bench::copy_runs(path, study, kRecorded);
  results::RunStore store(path);
  curves.measure("store: plan a study", runs, [&] { store.set_study(study); });
  curves.measure(
      "store: one more run", runs,
      [&] {
        for (int i = runs; i < runs + kMore; ++i) {
          const results::RunRecord run = bench::growth_run(i, kImages);
          store.claim(run.identity.hash, "bench", std::chrono::hours(1));
          store.record(run);
        }
      },
      kMore);
  curves.measure("store: states of the runs", runs, [&] { store.runs("growth"); });
  reports::Page page;
  curves.measure("report: read and analyse", runs,
                 [&] { page.studies.push_back(reports::build_report(store, "growth")); });
  std::ostringstream text;
  curves.measure("report: table", runs, [&] { reports::print_table(text, page.studies.front()); });
  const auto write = [&](const char* curve, const std::vector<reports::Format>& formats) {
    curves.measure(curve, runs, [&] { reports::write_report(page, folder / "out", formats); });
  };
  using enum reports::Format;
  write("report: html", {html});
  write("report: csv", {csv});
  write("report: all files", {markdown, csv, latex, html, figures});
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("petlab-growth-" + std::to_string(getpid()));
  int code = 0;
  try {
    if (argc < 3) throw std::runtime_error("growth_report OUT.csv RUNS [RUNS ...]");
    Curves curves(argv[1]);
    for (int i = 2; i < argc; ++i) {
      std::filesystem::create_directories(folder);
      measure_runs(curves, std::stoi(argv[i]), folder);
      std::filesystem::remove_all(folder);
    }
  } catch (const std::exception& e) {
    std::fprintf(stderr, "growth_report: %s\n", e.what());
    code = 1;
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  return code;
}
