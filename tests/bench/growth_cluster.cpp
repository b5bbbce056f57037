// What growth_cluster.py needs beside petlab to measure how submit, collect and plan grow:
//
//   growth_cluster world FOLDER            writes images and a small random backbone for studies
//   growth_cluster publish JOBS RESULTS    results of the first orders, as their workers leave them
//   growth_cluster record JOBS FIRST END STORE
//                                          results of the orders FIRST to END - 1 into a store
//   growth_cluster find-order JOBS         what a worker does before its run: prints the seconds on
//                                          the clock and of the processor
//
// JOBS is a folder that `petlab submit` wrote (STORE.jobs/N). Results are made up, nothing is
// trained, and have no adapters beside them. They are prepared in the folder for temporary files.

#include "growth_records.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/results/compact_copy.hpp"
#include "petlab/results/named_values.hpp"
#include "petlab/study/order_folder.hpp"
#include "sample_study.hpp"

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>

namespace petlab::bench {
namespace {

namespace fs = std::filesystem;

results::RunRecord result_of(const study::Job& job, const results::SplitRecord& split) {
  constexpr int kTrainsWithoutGroups = 10;
  results::RunRecord run = growth_run(kTrainsWithoutGroups, /*images=*/1);
  run.identity = job.identity;
  run.method = job.spec.method;
  run.plugin = job.plugin;
  run.plugin_version = job.plugin_version;
  run.sharing = to_string(job.spec.sharing);
  run.seed = job.spec.seed;
  run.split_hash = split.hash;
  run.dataset_hash = split.dataset.hash;
  run.tasks.clear();
  for (const results::TaskSplit& task : split.tasks) {
    const auto images = static_cast<std::int64_t>(task.test.size());
    results::TaskResult& result = run.tasks.emplace_back(
        results::TaskResult{task.task, task.n_train, images, images, 0.5, {}});
    for (const results::TestImage& image : task.test)
      result.predictions.push_back({image.label, 0.9});
  }
  return run;
}

/// Results of a folder's orders.
class Results {
 public:
  explicit Results(const fs::path& jobs)
      : folder_(jobs), scratch_("petlab-growth"), splits_(copied_base()) {}

  void publish(std::size_t number) {
    const study::Job job = folder_.order(number).job;
    const Prepared& prepared = prepare(job);
    const fs::path store = scratch_.path() / "run.sqlite";
    fs::copy_file(prepared.store, store, fs::copy_options::overwrite_existing);
    results::RunStore(store).record(result_of(job, prepared.split));
    results::write_compact_copy(store, folder_.new_shard(job.identity.hash));
  }

  /// A store that nobody works with: its file is written to elsewhere and put back.
  void record(std::size_t first, std::size_t end, const fs::path& store) {
    const fs::path copy = scratch_.path() / "all.sqlite";
    fs::copy_file(store, copy, fs::copy_options::overwrite_existing);
    {
      results::RunStore all(copy);
      for (std::size_t number = first; number < end; ++number) {
        const study::Job job = folder_.order(number).job;
        all.record(result_of(job, prepare(job).split));
      }
    }
    fs::copy_file(copy, store, fs::copy_options::overwrite_existing);
  }

 private:
  /// A split, and a store that holds nothing else.
  struct Prepared {
    results::SplitRecord split;
    fs::path store;
  };

  // No file of an order folder is open in SQLite.
  [[nodiscard]] results::RunStore copied_base() const {
    const fs::path copy = scratch_.path() / "base.sqlite";
    fs::copy_file(folder_.base(), copy);
    return results::RunStore(copy, results::OpenMode::read_only);
  }

  const Prepared& prepare(const study::Job& job) {
    const std::string hash = results::value_of(job.identity.parts, "dataset.split");
    const auto [place, is_new] = prepared_.try_emplace(hash);
    if (is_new) {
      place->second = {splits_.split(hash).value(), scratch_.path() / (hash + ".sqlite")};
      results::RunStore(place->second.store).register_split(place->second.split);
    }
    return place->second;
  }

  study::OrderFolder folder_;
  base::PrivateFolder scratch_;
  results::RunStore splits_;
  std::map<std::string, Prepared> prepared_;  // by the split's hash
};

/// Of the last orders, which have no result yet.
void find_orders(const fs::path& jobs) {
  constexpr std::size_t kTimes = 20;
  const std::clock_t before = std::clock();
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < kTimes; ++i) {
    const study::OrderFolder folder(jobs);
    const study::WorkerRequest order = folder.order(folder.runs().size() - 1 - i);
    if (folder.has_result(order.job.identity.hash))
      throw std::runtime_error("the last orders have results: expected fewer than there are runs");
  }
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
  std::printf("%.9f %.9f\n", passed.count() / kTimes,
              static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC / kTimes);
}

}  // namespace
}  // namespace petlab::bench

int main(int argc, char** argv) {
  try {
    const std::string command = argc > 2 ? argv[1] : "";
    if (command == "world" && argc == 3) {
      constexpr int kImagesOfAClass = 8;
      petlab::tests::write_pictures(std::filesystem::path(argv[2]) / "images", kImagesOfAClass);
      petlab::tests::write_backbone(std::filesystem::path(argv[2]) / "clip");
    } else if (command == "publish" && argc == 4) {
      petlab::bench::Results results(argv[2]);
      for (std::size_t number = 0; number < std::stoul(argv[3]); ++number)
        results.publish(number);
    } else if (command == "record" && argc == 6) {
      petlab::bench::Results(argv[2]).record(std::stoul(argv[3]), std::stoul(argv[4]), argv[5]);
    } else if (command == "find-order" && argc == 3) {
      petlab::bench::find_orders(argv[2]);
    } else {
      throw std::runtime_error(
          "expected world FOLDER, publish JOBS RESULTS, record JOBS FIRST END STORE or find-order "
          "JOBS");
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "growth_cluster: %s\n", error.what());
    return 1;
  }
  return 0;
}
