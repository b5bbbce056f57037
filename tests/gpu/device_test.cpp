// Every method of the project trains and tests on another device as it does on the CPU. The device
// is PETLAB_TEST_DEVICE ("cuda"), or a stand-in for a GPU that runs everywhere and notices what a
// GPU would refuse or wait for.

#include "petlab/engine/adapted_backbone.hpp"
#include "petlab/engine/evaluator.hpp"
#include "petlab/engine/failure_context.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/trainer.hpp"
#include "petlab/study/plugin_loader.hpp"
#include "standin_device.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

namespace petlab::engine {
namespace {

namespace fs = std::filesystem;

// Kernels of two devices add in other orders, and each step hands the difference on.
constexpr double kTolerance = 2e-3;

c10::Device other_device() {
  const char* const name = std::getenv("PETLAB_TEST_DEVICE");
  return name == nullptr ? petlab::tests::standin_device() : c10::Device(name);
}

bool is_standin() {
  return other_device().type() == c10::DeviceType::PrivateUse1;
}

// The tiny backbone on a device: written to a folder and loaded from it.
std::shared_ptr<const clip::Backbone> tiny_backbone_on(c10::Device device) {
  const fs::path folder =
      fs::temp_directory_path() / ("petlab-device-test-" + std::to_string(getpid()));
  fs::create_directories(folder);
  const std::vector<std::pair<std::string, std::int64_t>> texts = {
      {"a photo of a red cup", 9}, {"a photo of a bed", 7}, {"a fan and a fork", 5}};
  clip::train_tokenizer(texts, /*vocab_size=*/525, /*context_length=*/24, folder);
  testing::tiny_backbone()->save(folder, folder, at::kFloat);
  std::shared_ptr<const clip::Backbone> backbone = clip::Backbone::load(folder, device);
  fs::remove_all(folder);
  return backbone;
}

struct Outcome {
  std::vector<at::Tensor> parameters;  // trained
  std::vector<double> losses;          // of the epochs
  std::vector<results::TaskResult> tasks;
  petlab::tests::Traffic training;
  std::int64_t steps = 0;
};

Outcome train_and_test(const std::string& name, const sdk::MethodEntry& entry,
                       const clip::Backbone& backbone, std::int64_t epochs) {
  const RunInputs inputs = testing::tiny_inputs(entry);
  const bool composable = entry.composable && std::string_view(entry.name) != "zero-shot";
  const sdk::Options options({entry.options, entry.option_count}, testing::tiny_options(entry),
                             "method");
  const auto method = entry.make(options);
  FailureContext where;
  const AdapterChecks checks(name, backbone);
  Training training;
  training.epochs = epochs;
  training.batch = 2;
  training.learning_rate = 0.01;
  training.warmup_epochs = 0;
  TrainImages images(backbone, inputs.tasks, Augmentation::flip, /*seed=*/3, Precision::fp32);
  const AdapterSource source{backbone, inputs.tasks,
                             [&](std::size_t task) { return images.plain_features(task); }};
  std::vector<std::string> tasks;
  for (const Task& task : inputs.tasks)
    tasks.push_back(task.name);
  const Arrangement arrangement =
      arrange(composable ? Sharing::joint_specific : Sharing::per_task, tasks, {});
  const Adapters adapters = make_adapters(*method, name, source, arrangement, /*seed=*/3, where);
  AdaptedBackbone adapted(backbone, adapters, inputs.tasks, method->text_template(),
                          entry.task_dependent, checks, where);
  Outcome outcome;
  for (const auto& adapter : adapters.adapters) {
    for (const sdk::NamedTensor& parameter : adapter->parameters())
      outcome.parameters.push_back(parameter.value);
  }
  images.keep_features();
  NoProgress progress;
  petlab::tests::reset_traffic();
  if (!outcome.parameters.empty()) {
    std::vector<results::EpochRecord> log;
    train({adapted, adapters, images, inputs.tasks, training, /*seed=*/3}, progress, log);
    for (const results::EpochRecord& epoch : log) {
      outcome.losses.push_back(epoch.loss);
      outcome.steps += epoch.steps;
    }
  }
  outcome.training = petlab::tests::traffic();
  outcome.tasks =
      evaluate(adapted, backbone, inputs.tasks, inputs.load_test(), Precision::fp32, progress);
  return outcome;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.numel() == 0) return 0.0;
  const at::Tensor mine = a.detach().to(at::kCPU, at::kDouble);
  const at::Tensor theirs = b.detach().to(at::kCPU, at::kDouble);
  return (mine - theirs).abs().max().item<double>() / (1.0 + theirs.abs().max().item<double>());
}

void expect_alike(const Outcome& device, const Outcome& cpu) {
  ASSERT_EQ(device.parameters.size(), cpu.parameters.size());
  for (std::size_t i = 0; i < cpu.parameters.size(); ++i)
    EXPECT_LT(largest_difference(device.parameters[i], cpu.parameters[i]), kTolerance)
        << "parameter " << i;
  ASSERT_EQ(device.losses.size(), cpu.losses.size());
  for (std::size_t e = 0; e < cpu.losses.size(); ++e)
    EXPECT_NEAR(device.losses[e], cpu.losses[e], kTolerance * (1.0 + cpu.losses[e]));
  ASSERT_EQ(device.tasks.size(), cpu.tasks.size());
  for (std::size_t t = 0; t < cpu.tasks.size(); ++t) {
    EXPECT_NEAR(device.tasks[t].loss, cpu.tasks[t].loss, kTolerance * (1.0 + cpu.tasks[t].loss));
    ASSERT_EQ(device.tasks[t].predictions.size(), cpu.tasks[t].predictions.size());
  }
}

// Nothing that a GPU refuses, and no more waiting in two epochs than in one but for the losses,
// which are fetched together.
void expect_no_waiting(const std::string& method, const Outcome& shorter, const Outcome& longer) {
  EXPECT_EQ(listed(longer.training.mixed), "") << "tensors of host and device in one operator";
  EXPECT_EQ(longer.training.waiting_uploads, shorter.training.waiting_uploads);
  const std::int64_t steps = longer.steps - shorter.steps;
  const std::int64_t downloads = longer.training.downloads - shorter.training.downloads;
  // A mixture of experts asks which experts were chosen, once for each adapter of a step.
  const std::int64_t asked = method == "moe-adapter" ? 4 : 0;
  EXPECT_LE(downloads, steps * (1 + asked));
}

class Methods : public ::testing::Test {
 protected:
  const study::PluginRegistry plugins_{
      {.folders = {fs::path(PETLAB_BINARY_DIR) / "lib" / "petlab"}, .files = {}}};
};

TEST_F(Methods, TrainAndTestOnAnotherDeviceAsOnTheCpu) {
  const auto on_cpu = tiny_backbone_on(c10::kCPU);
  const auto on_device = tiny_backbone_on(other_device());
  ASSERT_GE(plugins_.method_names().size(), 20U);
  for (const std::string& name : plugins_.method_names()) {
    SCOPED_TRACE(name);
    const sdk::MethodEntry& entry = *plugins_.method(name).entry;
    const Outcome there = train_and_test(name, entry, *on_device, 1);
    expect_alike(there, train_and_test(name, entry, *on_cpu, 1));
    if (!is_standin()) continue;
    if (!there.parameters.empty()) {
      EXPECT_GT(there.training.operators, 100) << "nothing ran on the device";
      expect_no_waiting(name, there, train_and_test(name, entry, *on_device, 2));
    }
  }
}

// The stand-in sees what it is for.
TEST(StandinDevice, NoticesMixedTensorsAndWaiting) {
  const c10::Device device = petlab::tests::standin_device();
  const at::Tensor host = at::ones({3});
  petlab::tests::reset_traffic();
  const at::Tensor there = host.to(device);
  EXPECT_EQ(petlab::tests::traffic().waiting_uploads, 1);
  const at::Tensor quick = host.to(device, at::kFloat, /*non_blocking=*/true);
  EXPECT_EQ(petlab::tests::traffic().uploads, 1);
  const at::Tensor sum = there + quick * 2.0;
  EXPECT_EQ(sum.device(), device);
  EXPECT_TRUE(petlab::tests::traffic().mixed.empty());
  EXPECT_EQ(petlab::tests::traffic().downloads, 0);
  EXPECT_EQ(sum.sum().item<float>(), 9.0F);
  EXPECT_EQ(petlab::tests::traffic().downloads, 1);
  try {
    (void)there.index_select(0, at::zeros({1}, at::kLong));
  } catch (const c10::Error&) {  // LibTorch itself refuses some
    return;
  }
  EXPECT_EQ(petlab::tests::traffic().mixed.size(), 1U);
}

}  // namespace
}  // namespace petlab::engine
