#pragma once

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/study/plugin_loader.hpp"

#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <map>
#include <memory>
#include <string>
#include <vector>

// Methods as the host runs them, on a small random CLIP and three tasks.
namespace petlab::tests {

/// One method with its options in one arrangement of adapters.
struct MethodCase {
  std::string name;  ///< of the test: letters, digits and underscores
  std::string method;
  std::map<std::string, std::string> options = {};
  engine::Sharing sharing = engine::Sharing::joint;
};

/// Name of this test program, for its folders: several run at once.
[[nodiscard]] std::string program();

/// For GoogleTest: prints the name, names a parameterised test.
void PrintTo(const MethodCase& one, std::ostream* out);
[[nodiscard]] std::string case_name(const ::testing::TestParamInfo<MethodCase>& info);

/// Folder of the small CLIP: image tower 4 layers of width 32, text tower 3 layers of width 24, 16
/// common dimensions, 24 px in patches of 8, context 64. All weights are random, norms and biases
/// too. Written once a process.
[[nodiscard]] const std::filesystem::path& bench_model();
[[nodiscard]] const clip::Backbone& bench_backbone();

/// The tasks: "art" {cup, bed, alarm clock}, "real" {cup, fan}, "sketch" as art.
[[nodiscard]] const std::vector<engine::Task>& bench_tasks();

/// Random images of a task (3, 2 and 4 of them) and their labels. They are also the training images
/// that AdapterContext::training_features() is about.
struct BenchImages {
  at::Tensor pixels;
  at::Tensor labels;
};
[[nodiscard]] const BenchImages& bench_images(std::int64_t task);

/// A method of build/lib/petlab with the adapters of the three tasks. Groups are {art, sketch} and
/// {real}.
class MethodBench {
 public:
  /// Throws sdk::Error when no plugin has the method or it refuses its options.
  explicit MethodBench(const MethodCase& one);
  MethodBench(const MethodBench&) = delete;
  MethodBench& operator=(const MethodBench&) = delete;

  /// Adds seeded noise N(0, std^2) to all parameters: nothing stays hidden behind a start at zero.
  void move_parameters(double std);

  /// What one forward of some tasks gives, with gradient and without noise.
  struct Step {
    std::vector<at::Tensor> logits;  ///< of the tasks' images, one tensor a listed task
    at::Tensor loss;                 ///< sum of the tasks' training losses
  };
  [[nodiscard]] Step step(const std::vector<std::int64_t>& tasks);

  [[nodiscard]] const engine::Adapters& adapters() const { return adapters_; }
  [[nodiscard]] const std::string& text_template() const { return template_; }
  /// All options, given or default.
  [[nodiscard]] const sdk::Options& options() const { return options_; }

 private:
  study::MethodRef ref_;
  sdk::Options options_;
  std::unique_ptr<sdk::Method> method_;
  std::string template_;
  engine::AdapterChecks checks_;
  engine::FailureContext where_;
  engine::Adapters adapters_;
  engine::AdaptedBackbone backbone_;
};

/// Largest difference as a share of the reference's largest value, or of `floor` where that is
/// more.
[[nodiscard]] double relative_difference(const at::Tensor& ours, const at::Tensor& reference,
                                         double floor = 1e-12);

/// Expects that a step of all tasks gives each the logits that it gets alone, to 1e-5.
void expect_mixed_equals_alone(const MethodCase& one);

/// Expects that the method starts as the frozen backbone with the text `zero_shot_template`.
void expect_zero_shot_start(const MethodCase& one, const std::string& zero_shot_template);

}  // namespace petlab::tests
