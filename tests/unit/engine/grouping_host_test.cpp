#include "petlab/engine/grouping_host.hpp"

#include "petlab/base/error.hpp"
#include "petlab/datasets/image.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <vector>

namespace petlab::engine {
namespace {

using ::testing::HasSubstr;
using testing::run_well;
using testing::tiny_spec;

/// Lets a test look at the host from inside a run, where a grouping stands.
class Prober final : public sdk::Grouping {
 public:
  static inline std::function<void(sdk::GroupingHost&)> probe;

  [[nodiscard]] sdk::GroupingResult find(sdk::GroupingHost& host) const override {
    probe(host);
    sdk::GroupingResult result;
    result.partitions = {{{{0}, {1, 2}}, 0.0}};
    return result;
  }
};

constexpr sdk::GroupingEntry kProbe{"probe", "", nullptr, 0,
                                    [](const sdk::Options&) -> std::unique_ptr<sdk::Grouping> {
                                      return std::make_unique<Prober>();
                                    }};

results::RunRecord probe(std::function<void(sdk::GroupingHost&)> look, RunSpec spec,
                         const sdk::MethodEntry& method = testing::both_prompts()) {
  Prober::probe = std::move(look);
  return testing::run(spec, testing::tiny_inputs(method, &kProbe));
}

void probe_well(std::function<void(sdk::GroupingHost&)> look) {
  const auto record = probe(std::move(look), tiny_spec("both", Sharing::grouped, /*epochs=*/1));
  EXPECT_EQ(record.status, results::RunStatus::done) << record.error;
}

TEST(GroupingHost, NamesTheParametersOfItsGradients) {
  probe_well([](sdk::GroupingHost& host) {
    const auto parameters = host.shared_parameters();
    ASSERT_EQ(parameters.size(), 2U);
    EXPECT_EQ(parameters[0].name, "text");
    EXPECT_EQ(parameters[0].shape, (std::vector<std::int64_t>{2, 2, 12}));
    EXPECT_EQ(parameters[0].offset, 0);
    EXPECT_EQ(parameters[1].name, "vision");
    EXPECT_EQ(parameters[1].offset, 2 * 2 * 12);
    EXPECT_EQ(host.task_gradients().size(1), 2 * 2 * 12 + 2 * 2 * 16);
    EXPECT_EQ(host.learning_rate(), 0.05);
    EXPECT_EQ(host.run_epochs(), 1);
  });
}

TEST(GroupingHost, LooksAheadAlongTheGradient) {
  probe_well([](sdk::GroupingHost& host) {
    const at::Tensor gradients = host.task_gradients().to(at::kDouble);
    const at::Tensor before = host.task_losses();
    EXPECT_EQ(before.scalar_type(), at::kDouble);
    EXPECT_TRUE(at::allclose(host.losses_after_step(1, 0.0), before, 1e-6, 1e-6));
    // To first order a step eta along g_i lowers L_j by eta g_i . g_j.
    constexpr double kStep = 1e-2;
    const at::Tensor products = gradients.mm(gradients.t());
    for (std::int64_t task = 0; task < 3; ++task) {
      const double eta = kStep / gradients[task].norm().item<double>();
      const at::Tensor fall = (before - host.losses_after_step(task, eta)) / eta;
      EXPECT_TRUE(at::allclose(fall, products[task], 0.05, 0.05 * products.max().item<double>()))
          << fall << products[task];
    }
    // The adapter is where it was, and the same question has the same answer.
    EXPECT_TRUE(at::equal(host.losses_after_step(2, 0.1), host.losses_after_step(2, 0.1)));
    EXPECT_TRUE(at::allclose(host.losses_after_step(0, 0.0), before, 1e-6, 1e-6));
  });
}

TEST(GroupingHost, TakesTheSameStepWithAndWithoutALook) {
  std::vector<at::Tensor> losses;
  for (const bool look : {true, false}) {
    probe_well([&](sdk::GroupingHost& host) {
      for (int step = 0; step < 3; ++step) {
        if (look) {
          (void)host.task_gradients();
          (void)host.losses_after_step(0, 0.3);
          host.step();
        } else {
          host.joint_step();
        }
      }
      (void)host.task_gradients();
      losses.push_back(host.task_losses());
    });
  }
  EXPECT_TRUE(at::allclose(losses[0], losses[1], 1e-4, 1e-5)) << losses[0] << losses[1];
}

TEST(GroupingHost, TrainsOnSomeOfTheTasks) {
  const auto record = probe(
      [](sdk::GroupingHost& host) {
        const at::Tensor pair = host.losses_of_training({0, 2}, 3, 0.25);
        EXPECT_EQ(pair.sizes(), (std::vector<std::int64_t>{2}));
        EXPECT_EQ(pair.scalar_type(), at::kDouble);
        EXPECT_TRUE(at::equal(pair, host.losses_of_training({0, 2}, 3, 0.25)));
        // Longer training fits the training images better.
        const double one = host.losses_of_training({0}, 1, 0.0).item<double>();
        const double ten = host.losses_of_training({0}, 20, 0.0).item<double>();
        EXPECT_LT(ten, 0.9 * one);
      },
      tiny_spec("both", Sharing::grouped, 1));
  ASSERT_EQ(record.status, results::RunStatus::done) << record.error;
  EXPECT_EQ(record.costs[1].phase, "warm-up");
  // Both pairs: classes of 3, 2, 2 and 2, 1 images hold one out each (the class of one image none).
  // 3 epochs of 7 - 3 and 3 - 1 images, and the 4 held out; then 1 and 20 epochs of 7, twice 7.
  EXPECT_EQ(record.costs[1].images, 2 * (3 * (4 + 2) + 3 + 1) + (1 + 20) * 7 + 2 * 7);
}

TEST(GroupingHost, TrainsOnCropsOfTheOriginalsWhereTheRunDoes) {
  std::atomic<int> decoded = 0;
  Prober::probe = [&](sdk::GroupingHost& host) {
    decoded = 0;
    (void)host.losses_of_training({0, 2}, 3, 0.25);
    EXPECT_EQ(decoded, 3 * (4 + 2));  // 3 epochs of 7 - 3 and 3 - 1 images
  };
  RunSpec spec = tiny_spec("both", Sharing::grouped, 1);
  spec.training.augmentation = Augmentation::crop_flip;
  RunInputs inputs = testing::tiny_inputs(testing::both_prompts(), &kProbe);
  for (Task& task : inputs.tasks)
    task.train.original = [&](std::int64_t) {
      ++decoded;
      return datasets::Image{5, 4, std::vector<std::uint8_t>(3 * 5 * 4, 100)};
    };
  const auto record = testing::run(spec, inputs);
  EXPECT_EQ(record.status, results::RunStatus::done) << record.error;
}

TEST(GroupingHost, TrainsBranchesByTheLossThatItIsGiven) {
  probe_well([](sdk::GroupingHost& host) {
    const at::Tensor own = at::zeros({2}).requires_grad_();
    // An epoch has 4 steps, of which each task sees its own batches: the same epoch again has the
    // same mean where the adapter stays.
    at::Tensor first = host.branch_losses(2);
    EXPECT_EQ(first.sizes(), (std::vector<std::int64_t>{3, 2}));
    EXPECT_TRUE(at::allclose(first.select(1, 0), first.select(1, 1), 1e-5, 1e-6));
    for (int step = 0; step < 30; ++step) {
      const at::Tensor losses = step == 0 ? first : host.branch_losses(2);
      host.branch_step(losses.select(1, 0).sum() + (own * at::tensor({1.0F, -1.0F})).sum(), {own},
                       0.5);
    }
    const at::Tensor last = host.branch_losses(2).detach();
    EXPECT_LT(last.select(1, 0).mean().item<double>(),
              0.95 * last.select(1, 1).mean().item<double>());
    // Adam: every step has the length of the rate, whatever the gradient's.
    EXPECT_TRUE(at::allclose(own.detach(), at::tensor({-15.0F, 15.0F}), 1e-3, 1e-3)) << own;
  });
}

TEST(GroupingHost, RecordsTheEpochsOfABranchedWarmUp) {
  const auto record = probe(
      [](sdk::GroupingHost& host) {
        const at::Tensor own = at::zeros({1}).requires_grad_();
        for (std::int64_t step = 0; step < host.steps_per_epoch() + 1; ++step)
          host.branch_step(host.branch_losses(3).sum() + own.sum(), {own}, 0.1);
      },
      tiny_spec("both", Sharing::grouped, 1));
  ASSERT_EQ(record.epochs.size(), 3U);
  EXPECT_EQ(record.epochs[0].phase, "warm-up");
  EXPECT_EQ(record.epochs[1].phase, "warm-up");
  EXPECT_EQ(record.epochs[2].phase, "train");
  EXPECT_GT(record.costs[1].images, 0);
}

TEST(GroupingHost, RefusesWhatBreaksTheContract) {
  struct Case {
    std::function<void(sdk::GroupingHost&)> look;
    const char* expected;
  };
  const at::Tensor own = at::zeros({1}).requires_grad_();
  const Case cases[] = {
      {[](auto& host) { (void)host.task_losses(); }, "task_losses() before it asked"},
      {[](auto& host) { (void)host.losses_after_step(0, 1.0); }, "losses_after_step() before"},
      {[](auto& host) {
         (void)host.task_gradients();
         host.step();
         (void)host.losses_after_step(0, 1.0);
       },
       "losses_after_step() before it asked for gradients"},
      {[](auto& host) {
         (void)host.task_gradients();
         (void)host.losses_after_step(3, 1.0);
       },
       "looked ahead along task 3, expected 0 to 2"},
      {[](auto& host) { (void)host.losses_of_training({1, 0}, 1, 0.0); }, "in ascending order"},
      {[](auto& host) { (void)host.losses_of_training({3}, 1, 0.0); }, "not a set of the run's"},
      {[](auto& host) { (void)host.losses_of_training({}, 1, 0.0); }, "on no task"},
      {[](auto& host) { (void)host.losses_of_training({0}, 1, 1.0); }, "held-out share"},
      {[&](auto& host) { host.branch_step(own.sum(), {own}, 0.1); }, "branch_step() before"},
      {[](auto& host) { (void)host.branch_losses(0); }, "asked for 0 branches"},
      {[](auto& host) {
         (void)host.branch_losses(2);
         (void)host.branch_losses(3);
       },
       "asked for 3 branches, expected 2"},
      {[&](auto& host) { host.branch_step(host.branch_losses(2).detach().sum(), {own}, 0.1); },
       "not one number made from branch_losses()"},
      {[&](auto& host) {
         host.branch_step(host.branch_losses(2).sum(), {own}, 0.1);
         host.branch_step(host.branch_losses(2).sum(), {}, 0.1);
       },
       "other tensors of its own"},
  };
  for (const Case& one : cases) {
    const auto record = probe(one.look, tiny_spec("both", Sharing::grouped, 1));
    EXPECT_EQ(record.status, results::RunStatus::failed) << one.expected;
    EXPECT_THAT(record.error, HasSubstr(one.expected));
    EXPECT_EQ(record.error_kind, "plugin");
  }
}

TEST(GroupingHost, SaysWhenThereIsNothingToTrain) {
  const std::function<void(sdk::GroupingHost&)> looks[] = {
      [](auto& host) { host.joint_step(); },
      [](auto& host) { (void)host.losses_of_training({0}, 1, 0.0); },
      [](auto& host) { (void)host.branch_losses(2); }};
  for (const auto& look : looks) {
    const auto record = probe(look, tiny_spec("nothing", Sharing::grouped, 1), testing::nothing());
    EXPECT_EQ(record.error_kind, "config");
    EXPECT_THAT(record.error, HasSubstr("trains nothing"));
  }
}

}  // namespace
}  // namespace petlab::engine
