// Fills a results store with small runs and prints what each operation costs: seconds on the clock
// and seconds of the processor, at a fifth of the runs and at all of them.
//
//   bench_store RUNS [IMAGES]
//
// IMAGES (default 20) are the test images of a run. Works in a folder of its own under the
// temporary folder.

#include "petlab/results/export.hpp"
#include "petlab/results/merge.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>

namespace {

using namespace petlab::results;

template <class Work>
void measure(const char* what, Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  work();
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  std::printf("  %-28s %9.3f s  %9.3f s of the processor\n", what, passed.count(),
              static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC);
  std::fflush(stdout);
}

// Ten seeds a row; every second run brings a grouping.
sample::RunChoice choice(int number) {
  return {.method = "method-" + std::to_string(number / 10),
          .sharing = "joint",
          .grouping = number % 2 == 0 ? "gradient" : "",
          .seed = static_cast<std::uint64_t>(1 + number % 10)};
}

void bench(int runs, std::int64_t images) {
  const sample::TemporaryFolder folder;
  const std::filesystem::path path = folder / "runs.sqlite";
  const SplitRecord split = sample::split(1, images / 2);
  StudyRecord study{.name = "bench", .protocol = "", .plan = {}};
  for (int i = 0; i < runs; ++i) {
    const sample::RunChoice run = choice(i);
    study.plan.push_back({sample::identity_of(run, split).hash, i / 10, run.method, run.seed,
                          run.method, run.sharing, run.grouping});
  }
  RunStore store(path);
  store.register_split(split);
  const auto report = [&](int stored) {
    std::printf("%d runs, %.1f MB\n", stored,
                static_cast<double>(std::filesystem::file_size(path)) / 1e6);
    measure("study()", [&] { store.study("bench"); });
    measure("runs()", [&] { store.runs("bench"); });
    measure("load() of each", [&] {
      for (int i = 0; i < stored; ++i)
        store.load(study.plan[static_cast<std::size_t>(i)].hash);
    });
    measure("export", [&] { export_views(path, folder / "csv"); });
    const std::filesystem::path merged = folder / ("merged" + std::to_string(stored) + ".sqlite");
    measure("merge into a new file", [&] { merge_stores(merged, {path}); });
    measure("merge again", [&] { merge_stores(merged, {path}); });
  };
  measure("set_study()", [&] { store.set_study(study); });
  int stored = 0;
  for (const int part : {runs / 5, runs}) {
    const int begin = stored;
    const std::string what = "claim() and record() of " + std::to_string(part - begin);
    measure(what.c_str(), [&] {
      for (; stored < part; ++stored) {
        const RunRecord run = sample::done_run(choice(stored), split);
        store.claim(run.identity.hash, "bench", std::chrono::hours(1));
        store.record(run);
      }
    });
    report(stored);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2 || argc > 3) throw std::runtime_error("bench_store RUNS [IMAGES]");
    bench(std::stoi(argv[1]), argc == 3 ? std::stoll(argv[2]) : 20);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "bench_store: %s\n", e.what());
    return 1;
  }
}
