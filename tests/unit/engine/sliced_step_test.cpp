#include "petlab/engine/sliced_step.hpp"

#include "petlab/engine/run_checkpoint.hpp"
#include "petlab/sdk/training_adapter.hpp"
#include "tiny_bench.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace petlab::engine {
namespace {

using testing::Bench;
using ::testing::HasSubstr;

const Step kUnevenStep = {{0, {0, 1, 2, 3, 4}}, {1, {3, 1}}, {2, {2, 1, 0}}};

/// A step of three tasks in so many slices.
struct StepInSlices {
  StepInSlices(Bench& of, std::int64_t slices) : bench(of) { training.slices = slices; }

  [[nodiscard]] std::vector<at::Tensor> gradients(RankGroup* ranks = nullptr) {
    const StepContext context{bench.backbone, bench.images, training, c10::kCPU, noise};
    for (at::Tensor parameter : bench.adapters.trainable())
      parameter.mutable_grad().reset();
    if (training.slices == 1) {
      losses = backward_step(context, kUnevenStep, /*epoch=*/0);
    } else {
      SlicedStep sliced(context, bench.adapters.trainable(), ranks);
      losses = sliced.backward(kUnevenStep, /*epoch=*/0);
    }
    std::vector<at::Tensor> result;
    for (const at::Tensor& parameter : bench.adapters.trainable())
      result.push_back(parameter.grad().defined() ? parameter.grad().clone() : at::Tensor());
    return result;
  }

  Bench& bench;
  Training training;
  at::Generator noise = at::make_generator<at::CPUGeneratorImpl>(1);
  std::vector<at::Tensor> losses;
};

/// Ranks that are threads of this process.
class Threads {
 public:
  explicit Threads(int size) : given_(static_cast<std::size_t>(size)) {}

  class Rank final : public RankGroup {
   public:
    Rank(Threads& all, int rank) : all_(all), rank_(rank) {}
    [[nodiscard]] int rank() const override { return rank_; }
    [[nodiscard]] int size() const override { return static_cast<int>(all_.given_.size()); }
    [[nodiscard]] at::Tensor gather(const at::Tensor& mine) override {
      std::unique_lock lock(all_.mutex_);
      all_.given_[static_cast<std::size_t>(rank_)] = mine.clone();
      const int round = all_.round_;
      if (++all_.here_ == size()) {
        all_.gathered_ = at::stack(all_.given_);
        all_.here_ = 0;
        ++all_.round_;
        all_.changed_.notify_all();
      }
      all_.changed_.wait(lock, [&] { return all_.round_ != round; });
      return all_.gathered_;
    }

   private:
    Threads& all_;
    int rank_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<at::Tensor> given_;
  at::Tensor gathered_;
  int here_ = 0, round_ = 0;
};

TEST(SlicedStep, SlicesHoldTheStep) {
  Bench bench(testing::both_prompts(), Sharing::grouped, {{0, 2}, {1}});
  StepInSlices step(bench, 2);
  const StepContext context{bench.backbone, bench.images, step.training, c10::kCPU, step.noise};
  const auto text = [&] {
    std::string result;
    for (const Step& slice : cut_step(context, kUnevenStep)) {
      for (const auto& [task, positions] : slice) {
        result += std::to_string(task) + ":";
        for (const std::int64_t position : positions)
          result += std::to_string(position);
        result += " ";
      }
      result += "| ";
    }
    return result;
  };
  EXPECT_EQ(text(), "0:01 1:3 2:2 | 0:234 1:1 2:10 | ");
  // A batch of fewer images than slices leaves some of them without any.
  step.training.slices = 4;
  EXPECT_EQ(text(), "0:0 | 0:1 1:3 2:2 | 0:2 2:1 | 0:34 1:1 2:0 | ");
  // Tasks 0 and 2 share an adapter: a union of eight images in the order of the tasks.
  step.training.sampler = Sampler::union_of_tasks;
  EXPECT_EQ(text(), "0:01 | 0:23 1:3 | 0:4 2:2 | 1:1 2:10 | ");
}

TEST(SlicedStep, HasTheLossAndTheGradientsOfTheWholeStep) {
  for (const auto* method : {&testing::both_prompts(), &testing::image_prompts(),
                             &testing::text_prompts(), &testing::whole_copy()}) {
    for (const Sampler sampler : {Sampler::tasks, Sampler::union_of_tasks}) {
      for (const TaskLoss how : {TaskLoss::sum, TaskLoss::mean}) {
        Bench bench(*method, Sharing::grouped, {{0, 2}, {1}});
        StepInSlices whole(bench, 1);
        whole.training.task_loss = how;
        whole.training.sampler = sampler;
        const auto expected = whole.gradients();
        double scale = 0.0;
        for (const at::Tensor& g : expected)
          scale = std::max(scale, g.abs().max().item<double>());
        ASSERT_GT(scale, 0.0);
        for (const std::int64_t slices : {2, 3, 5, 8}) {
          StepInSlices step(bench, slices);
          step.training.task_loss = how;
          step.training.sampler = sampler;
          const auto gradients = step.gradients();
          for (std::size_t t = 0; t < kUnevenStep.size(); ++t)
            EXPECT_NEAR(step.losses[t].item<double>(), whole.losses[t].item<double>(), 1e-5);
          for (std::size_t p = 0; p < expected.size(); ++p)
            EXPECT_TRUE(at::allclose(gradients[p], expected[p], 1e-4, 1e-6 * scale))
                << method->name << ", " << slices << " slices, parameter " << p;
        }
      }
    }
  }
}

// Five slices, so that no number of ranks shares them out evenly; five images, two and three, so
// that some have no image of a task, and its adapter no gradient in them.
TEST(SlicedStep, RanksChangeNoBit) {
  for (const auto* method : {&testing::both_prompts(), &testing::whole_copy()}) {
    Bench alone(*method, Sharing::per_task);
    StepInSlices expected(alone, 5);
    const auto gradients = expected.gradients();
    for (const int size : {2, 3, 4, 5}) {
      Threads threads(size);
      std::vector<std::vector<at::Tensor>> all(static_cast<std::size_t>(size));
      std::vector<std::vector<at::Tensor>> losses(static_cast<std::size_t>(size));
      std::vector<std::unique_ptr<Bench>> benches;
      for (int rank = 0; rank < size; ++rank)
        benches.push_back(std::make_unique<Bench>(*method, Sharing::per_task));
      std::vector<std::thread> running;
      for (int rank = 0; rank < size; ++rank)
        running.emplace_back([&, rank] {
          StepInSlices step(*benches[static_cast<std::size_t>(rank)], 5);
          Threads::Rank ranks(threads, rank);
          all[static_cast<std::size_t>(rank)] = step.gradients(&ranks);
          losses[static_cast<std::size_t>(rank)] = step.losses;
        });
      for (std::thread& thread : running)
        thread.join();
      for (std::size_t rank = 0; rank < all.size(); ++rank) {
        for (std::size_t p = 0; p < gradients.size(); ++p)
          EXPECT_TRUE(all[rank][p].equal(gradients[p])) << size << " ranks, parameter " << p;
        for (std::size_t t = 0; t < kUnevenStep.size(); ++t)
          EXPECT_TRUE(losses[rank][t].equal(expected.losses[t]));
      }
    }
  }
}

RunSpec sliced_spec(std::int64_t slices) {
  RunSpec spec = testing::tiny_spec("both", Sharing::joint);
  spec.training.slices = slices;
  return spec;
}

TEST(Slices, ARunTwiceHasEqualBitsAndAboutTheLossOfAWholeOne) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  const results::RunRecord whole = testing::run_well(sliced_spec(1), inputs);
  const results::RunRecord first = testing::run_well(sliced_spec(2), inputs);
  const results::RunRecord again = testing::run_well(sliced_spec(2), inputs);
  EXPECT_EQ(first.trained_hash, again.trained_hash);
  ASSERT_EQ(first.epochs.size(), whole.epochs.size());
  for (std::size_t e = 0; e < first.epochs.size(); ++e) {
    EXPECT_EQ(first.epochs[e].loss, again.epochs[e].loss);
    EXPECT_NEAR(first.epochs[e].loss, whole.epochs[e].loss, 1e-3);
  }
}

/// Ends the run, as a power cut would, at a step.
class PowerCut final : public Progress {
 public:
  explicit PowerCut(std::int64_t step) : step_(step) {}
  void begin(std::string_view phase, std::int64_t) override { is_training_ = phase == "train"; }
  void update(std::int64_t done, std::string_view) override {
    if (is_training_ && done == step_) throw std::runtime_error("the power is gone");
  }
  void note(std::string_view) override {}

 private:
  std::int64_t step_;
  bool is_training_ = false;
};

TEST(Slices, ARunThatWasStoppedEndsWithTheSameBits) {
  namespace fs = std::filesystem;
  const fs::path file =
      fs::temp_directory_path() / ("petlab-slices-" + std::to_string(::getpid()) + ".safetensors");
  fs::remove(file);
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  RunSpec spec = sliced_spec(2);
  const results::RunRecord whole = testing::run_well(spec, inputs);
  RunInfo info;
  info.checkpoint = {file, 0.0};
  PowerCut cut(5);
  EXPECT_EQ(
      run_guarded(spec, info, [&] { return inputs; }, cut).status, results::RunStatus::failed);
  ASSERT_TRUE(fs::exists(file));
  NoProgress silent;
  const results::RunRecord resumed = run_guarded(spec, info, [&] { return inputs; }, silent);
  ASSERT_EQ(resumed.status, results::RunStatus::done) << resumed.error;
  EXPECT_EQ(resumed.resumed, 1);
  EXPECT_EQ(resumed.trained_hash, whole.trained_hash);
  ASSERT_EQ(resumed.tasks.size(), whole.tasks.size());
  for (std::size_t t = 0; t < whole.tasks.size(); ++t)
    EXPECT_EQ(resumed.tasks[t].loss, whole.tasks[t].loss);
  fs::remove(file);
}

TEST(Slices, MoreThanTheBatchHasImagesAreRefused) {
  const results::RunRecord record =
      testing::run(sliced_spec(3), testing::tiny_inputs(testing::both_prompts()));
  EXPECT_EQ(record.status, results::RunStatus::failed);
  EXPECT_THAT(record.error, HasSubstr("train.slices is 3, but batch is 2, expected at most"));
  EXPECT_TRUE(record.epochs.empty());
}

/// Prompts whose loss compares the images of a batch, or says that it does not.
template <std::uint32_t kNeeds>
class WithLoss final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "a photo of a {}."; }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const std::shared_ptr<sdk::Adapter> inner =
        testing::both_prompts().make({})->make_adapter(context);
    return sdk::make_training_adapter(
        inner->parameters(),
        {.changes = [inner](const sdk::ChangeRequest& request) { return inner->changes(request); },
         .step_tensors = kNeeds,
         .loss =
             [](const sdk::StepTensors& step) {
               return step.image_features.defined() ? step.image_features.square().mean()
                                                    : step.text_features.square().mean();
             }});
  }
};

template <std::uint32_t kNeeds>
results::RunRecord run_with_loss(std::int64_t slices) {
  static constexpr sdk::MethodEntry kEntry{
      .name = "loss",
      .composable = true,
      .make = [](const sdk::Options&) -> std::unique_ptr<sdk::Method> {
        return std::make_unique<WithLoss<kNeeds>>();
      }};
  RunSpec spec = sliced_spec(slices);
  spec.method = "loss";
  return testing::run(spec, testing::tiny_inputs(kEntry));
}

TEST(Slices, ALossOverTheImagesOfABatchIsRefusedUnlessItSaysThatItIsAMean) {
  namespace step_tensor = sdk::step_tensor;
  const results::RunRecord refused = run_with_loss<step_tensor::kImageFeatures>(2);
  EXPECT_EQ(refused.status, results::RunStatus::failed);
  EXPECT_EQ(refused.error_kind, "config");
  EXPECT_THAT(refused.error,
              HasSubstr("method 'loss' cannot be computed in slices: its adapters' own loss sees "
                        "the images of a batch together"));
  EXPECT_TRUE(refused.epochs.empty());
  EXPECT_EQ(run_with_loss<step_tensor::kImageFeatures>(1).status, results::RunStatus::done);
  constexpr std::uint32_t kMean = step_tensor::kImageFeatures | step_tensor::kMeanOverImages;
  EXPECT_EQ(run_with_loss<kMean>(2).status, results::RunStatus::done);
  EXPECT_EQ(run_with_loss<step_tensor::kTextFeatures>(2).status, results::RunStatus::done);
}

}  // namespace
}  // namespace petlab::engine
