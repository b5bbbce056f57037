// How the cost of the store and of a report grows with the number of runs.
//
//   growth_report OUT.csv RUNS [RUNS ...]
//
// Writes a line "curve,x,seconds,bytes" for each measurement and prints it.

#include "growth_records.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/reports/report.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using namespace petlab;

constexpr std::int64_t kImages = 250;  // test images of each of 4 tasks

class Curves {
 public:
  explicit Curves(const std::string& path) : file_(path) {
    if (!file_) throw std::runtime_error("cannot write " + path);
    file_ << "curve,x,seconds,bytes\n";
  }

  template <class Work>
  void measure(const std::string& curve, int x, Work&& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    const long long peak = 1024LL * use.ru_maxrss;
    std::printf("  %-28s %7d %10.4f s   peak of the process %6.0f MB\n", curve.c_str(), x,
                passed.count(), static_cast<double>(peak) / 1e6);
    std::fflush(stdout);
    file_ << curve << ',' << x << ',' << passed.count() << ',' << peak << '\n' << std::flush;
  }

 private:
  std::ofstream file_;
};

void measure_runs(Curves& curves, int runs, const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "runs.sqlite";
  results::RunStore store(path);
  for (std::uint64_t seed = 1; seed <= 10; ++seed)
    store.register_split(bench::growth_split(seed, kImages));
  const results::StudyRecord study = bench::growth_study(runs, kImages);
  curves.measure("store: plan a study", runs, [&] { store.set_study(study); });
  curves.measure("store: claim and record", runs, [&] {
    for (int i = 0; i < runs; ++i) {
      const results::RunRecord run = bench::growth_run(i, kImages);
      store.claim(run.identity.hash, "bench", std::chrono::hours(1));
      store.record(run);
    }
  });
  curves.measure("store: states of the runs", runs, [&] { store.runs("growth"); });
  reports::Page page;
  curves.measure("report: read and analyse", runs,
                 [&] { page.studies.push_back(reports::build_report(store, "growth")); });
  std::ostringstream text;
  curves.measure("report: table", runs, [&] { reports::print_table(text, page.studies.front()); });
  const auto write = [&](const char* curve, reports::Format format) {
    curves.measure(curve, runs, [&] { reports::write_report(page, folder / "out", {format}); });
  };
  write("report: csv", reports::Format::csv);
  write("report: markdown", reports::Format::markdown);
  write("report: latex", reports::Format::latex);
  write("report: html", reports::Format::html);
  write("report: figures", reports::Format::figures);
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
