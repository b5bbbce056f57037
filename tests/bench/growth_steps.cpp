// How the cost of a training step grows: seconds, and the largest memory that the step's tensors
// take, against classes, tasks, prompt length, prompted layers and batch; and the seconds of the
// search for a partition against tasks.
//
//   growth_steps OUT.csv [THREADS [DEVICE]]
//
// Appends a line "curve,x,seconds,bytes,processor" for each measurement and prints it.

#include "growth_world.hpp"
#include "petlab/engine/partition_search.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/study/plugin_loader.hpp"

#include <ATen/Parallel.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fstream>

namespace {

using namespace petlab;
using bench::StepShape;

struct MethodUnderTest {
  const char* name;       // of the plugin's method
  const char* length;     // its option for the number of prompts
  const char* depth;      // its option for the number of layers; "" without
  engine::Sharing tasks;  // how several tasks share
};

// As the paper compares them: prompts for the text, for the image, for both.
const MethodUnderTest kMethods[] = {{"coop", "n-ctx", "", engine::Sharing::per_task},
                                    {"vpt-deep", "n-prompt", "depth", engine::Sharing::per_task},
                                    {"mmap", "b", "depth", engine::Sharing::joint_specific}};

class Curves {
 public:
  explicit Curves(const std::string& path) : file_(path, std::ios::app) {
    if (!file_) throw std::runtime_error("cannot write " + path);
  }
  void add(const std::string& curve, std::int64_t x, const bench::StepCost& cost) {
    std::printf("  %-28s %6lld %10.4f s %9.1f MB\n", curve.c_str(), static_cast<long long>(x),
                cost.seconds, static_cast<double>(cost.peak_bytes) / 1e6);
    std::fflush(stdout);
    file_ << curve << ',' << x << ',' << cost.seconds << ',' << cost.peak_bytes << ','
          << cost.processor << '\n'
          << std::flush;
  }

 private:
  std::ofstream file_;
};

void set_length(StepShape& shape, const MethodUnderTest& method, std::int64_t prompts) {
  shape.options[method.length] = std::to_string(prompts);
  if (std::string_view(method.name) == "mmap") shape.options["preset"] = "rank-1";
}

StepShape usual(const MethodUnderTest& method) {
  StepShape shape;
  shape.sharing = engine::Sharing::joint;
  set_length(shape, method, 4);
  return shape;
}

void measure_steps(Curves& curves, const study::PluginRegistry& plugins, c10::Device device) {
  for (const MethodUnderTest& method : kMethods) {
    const bench::StepWorld world(*plugins.method(method.name).entry, device);
    const std::string name = method.name;
    const auto curve = [&](const char* against, std::initializer_list<std::int64_t> points,
                           auto change) {
      for (const std::int64_t x : points) {
        StepShape shape = usual(method);
        change(shape, x);
        curves.add(name + ": " + against, x, world.measure(shape));
      }
    };
    curve("classes", {10, 30, 65, 100, 345, 1000},
          [](StepShape& shape, std::int64_t x) { shape.classes = x; });
    curve("tasks", {1, 2, 4, 8, 16, 32, 64}, [&](StepShape& shape, std::int64_t x) {
      shape.tasks = x;
      shape.classes = 10;
      shape.sharing = method.tasks;
    });
    curve("prompts", {1, 2, 4, 8, 16, 32},
          [&](StepShape& shape, std::int64_t x) { set_length(shape, method, x); });
    if (*method.depth != '\0') {
      curve("prompted layers", {1, 2, 4, 6, 8, 10, 12}, [&](StepShape& shape, std::int64_t x) {
        shape.options[method.depth] = std::to_string(x);
      });
    }
    curve("batch", {1, 2, 4, 8, 16, 32, 64},
          [](StepShape& shape, std::int64_t x) { shape.batch = x; });
  }
}

// A symmetric matrix of affinities in which tasks form about the square root of n groups.
std::vector<double> affinities(std::int64_t n) {
  const auto groups = static_cast<std::int64_t>(std::sqrt(static_cast<double>(n)));
  std::vector<double> values(static_cast<std::size_t>(n * n));
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const double noise =
          0.6 * std::sin(static_cast<double>(37 * std::min(i, j) + std::max(i, j)));
      const bool together = i % groups == j % groups;
      values[static_cast<std::size_t>(i * n + j)] = (together ? 0.5 : -0.2) + noise;
    }
  }
  return values;
}

void measure_search(Curves& curves, const char* curve, std::initializer_list<std::int64_t> tasks) {
  for (const std::int64_t n : tasks) {
    const std::vector<double> affinity = affinities(n);
    const std::clock_t before = std::clock();
    const auto start = std::chrono::steady_clock::now();
    (void)engine::search_partitions(affinity, n, /*groups=*/0, sdk::PartitionObjective::pair_sum,
                                    /*keep=*/4);
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
    curves.add(curve, n,
               {.seconds = passed.count(),
                .processor = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC});
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 2 || argc > 4) throw std::runtime_error("growth_steps OUT.csv [THREADS [DEVICE]]");
    at::set_num_threads(argc >= 3 ? std::stoi(argv[2]) : 2);
    const c10::Device device = engine::parse_device(argc == 4 ? argv[3] : "cpu");
    Curves curves(argv[1]);
    measure_search(curves, "partitions: exact", {4, 6, 8, 9, 10, 11, 12});
    measure_search(curves, "partitions: local", {13, 25, 50, 100, 200, 400, 1000});
    const study::PluginRegistry plugins(
        {.folders = {std::filesystem::path(PETLAB_BINARY_DIR) / "lib" / "petlab"}, .files = {}});
    measure_steps(curves, plugins, device);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "growth_steps: %s\n", e.what());
    return 1;
  }
  return 0;
}
