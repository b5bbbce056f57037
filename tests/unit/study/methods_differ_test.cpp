#include "petlab/study/plugin_loader.hpp"
#include "tiny_world.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

// Two names for one computation are the worst mistake of a comparison: no two methods of the
// project may train, or answer, alike.
namespace petlab::study {
namespace {

namespace tiny = engine::testing;

/// What one method did: the loss of each epoch, and the probability of each test image's answer.
struct Trace {
  std::string method;
  std::vector<double> losses;
  std::vector<std::pair<std::int64_t, double>> answers;
};

Trace trace_of(const std::string& method, const sdk::MethodEntry& entry,
               engine::Precision precision = engine::Precision::fp32) {
  engine::RunSpec spec = tiny::tiny_spec(method, engine::Sharing::joint, 3);
  spec.training.precision = precision;
  spec.training.learning_rate = 0.01;
  spec.training.warmup_epochs = 0;
  spec.method_options = tiny::tiny_options(entry);
  const auto record = tiny::run_well(spec, tiny::tiny_inputs(entry));
  Trace trace{method, {}, {}};
  for (const results::EpochRecord& epoch : record.epochs)
    trace.losses.push_back(epoch.loss);
  for (const results::TaskResult& task : record.tasks)
    for (const results::ImagePrediction& one : task.predictions)
      trace.answers.emplace_back(one.predicted, one.probability);
  return trace;
}

PluginRegistry all_plugins() {
  return PluginRegistry(
      {.folders = {std::filesystem::path(PETLAB_BINARY_DIR) / "lib" / "petlab"}, .files = {}});
}

TEST(Methods, TrainInBf16AsInFp32) {
  const PluginRegistry plugins = all_plugins();
  for (const std::string& method : plugins.method_names()) {
    const sdk::MethodEntry& entry = *plugins.method(method).entry;
    const Trace fp32 = trace_of(method, entry);
    const Trace bf16 = trace_of(method, entry, engine::Precision::bf16);
    ASSERT_EQ(bf16.losses.size(), fp32.losses.size()) << method;
    // A loss of some tenths to some units; bf16 has 8 bits. What they move in a step turns into a
    // share of the way that training goes, which differs from one CPU level to the next.
    for (std::size_t epoch = 0; epoch < fp32.losses.size(); ++epoch) {
      const double way = epoch == 0 ? 0.0 : std::abs(fp32.losses[epoch] - fp32.losses[epoch - 1]);
      EXPECT_NEAR(bf16.losses[epoch], fp32.losses[epoch],
                  0.05 * (1 + fp32.losses[epoch]) + 0.3 * way)
          << method << ", epoch " << epoch;
    }
  }
}

TEST(Methods, NoTwoTrainOrAnswerAlike) {
  const PluginRegistry plugins = all_plugins();
  std::vector<Trace> traces;
  for (const std::string& method : plugins.method_names())
    traces.push_back(trace_of(method, *plugins.method(method).entry));
  ASSERT_GE(traces.size(), 20U);
  for (std::size_t a = 0; a < traces.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      const std::string pair = traces[a].method + " and " + traces[b].method;
      EXPECT_NE(traces[a].answers, traces[b].answers) << pair;
      if (traces[a].losses.empty()) continue;
      EXPECT_NE(traces[a].losses, traces[b].losses) << pair;
    }
  }
}

}  // namespace
}  // namespace petlab::study
