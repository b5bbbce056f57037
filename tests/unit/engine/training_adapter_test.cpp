#include "petlab/sdk/training_adapter.hpp"

#include "petlab/engine/losses.hpp"
#include "tiny_bench.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace petlab::engine {
namespace {

namespace step_tensor = sdk::step_tensor;
using testing::Bench;
using ::testing::HasSubstr;

constexpr std::int64_t kImages = 3;  // of Bench::batch()

/// What the adapters of the test's methods do in training. A method's factory is a plain function,
/// so this stands where it can be seen.
struct Script {
  std::uint32_t step_tensors = 0;
  std::function<at::Tensor(const sdk::StepTensors&, std::int64_t place)> loss;
  std::function<std::vector<double>(std::int64_t)> epoch_weights;
  std::function<void(const sdk::ChangeRequest&)> request;
};
Script script;

/// Prompts of another method of the tests, with the script.
template <const sdk::MethodEntry& (*kInner)()>
class Scripted final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override {
    return kInner().make({})->text_template();
  }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const std::shared_ptr<sdk::Adapter> inner = kInner().make({})->make_adapter(context);
    return sdk::make_training_adapter(
        inner->parameters(),
        {.changes =
             [inner](const sdk::ChangeRequest& r) {
               if (script.request) script.request(r);
               return inner->changes(r);
             },
         .step_tensors = script.step_tensors,
         .loss = [loss = script.loss, place = context.place()](
                     const sdk::StepTensors& step) { return loss(step, place); },
         .epoch_weights = script.epoch_weights});
  }
};

/// The bench's class head, with the script.
class ScriptedHead final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "{}"; }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const auto classes = static_cast<std::int64_t>(context.tasks().front().classes.size());
    const at::Tensor weight = at::zeros({classes, 8}).requires_grad_();
    return sdk::make_training_adapter(
        {{"weight", weight}},
        {.changes =
             [weight](const sdk::ChangeRequest& /*request*/) {
               sdk::BackboneChanges changes;
               changes.head = sdk::ClassHead{.weight = weight, .bias = {}};
               return changes;
             },
         .step_tensors = script.step_tensors,
         .loss = [](const sdk::StepTensors& /*step*/) { return at::Tensor(); }});
  }
};

template <typename T>
std::unique_ptr<sdk::Method> make(const sdk::Options& /*options*/) {
  return std::make_unique<T>();
}

constexpr sdk::MethodEntry kBoth{
    .name = "both", .composable = true, .make = make<Scripted<testing::both_prompts>>};
constexpr sdk::MethodEntry kText{
    .name = "text", .composable = true, .make = make<Scripted<testing::text_prompts>>};
constexpr sdk::MethodEntry kHead{.name = "head", .make = make<ScriptedHead>};

class TrainingAdapters : public ::testing::Test {
 protected:
  void SetUp() override { script = {}; }
  void TearDown() override { script = {}; }
};

std::vector<at::Tensor> labels_of(const Bench& bench, const std::vector<std::int64_t>& tasks) {
  std::vector<at::Tensor> labels;
  for (const std::int64_t task : tasks)
    labels.push_back(bench.images.labels({task, {0, 1, 2}}));
  return labels;
}

std::vector<at::Tensor> losses_of(Bench& bench, const std::vector<std::int64_t>& tasks) {
  std::vector<TaskImages> inputs;
  for (const std::int64_t task : tasks)
    inputs.push_back(bench.batch(task));
  return bench.backbone.losses(bench.backbone.prepare(tasks), inputs, labels_of(bench, tasks));
}

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::plugin);
    return error.what();
  }
  return "";
}

TEST_F(TrainingAdapters, OneThatWantsNothingTrainsToTheSameBits) {
  for (const Sharing sharing : {Sharing::joint, Sharing::grouped_specific}) {
    const auto trained = [&](const sdk::MethodEntry& entry) {
      const auto* grouping = has_groups(sharing) ? &testing::all_in_one() : nullptr;
      RunSpec spec = testing::tiny_spec("both", sharing);
      spec.training.augmentation = Augmentation::flip;
      return testing::run_well(spec, testing::tiny_inputs(entry, grouping));
    };
    const auto plain = trained(testing::both_prompts());
    const auto with = trained(kBoth);
    EXPECT_EQ(with.trained_hash, plain.trained_hash);
    EXPECT_EQ(with.step_flops, plain.step_flops);
    for (std::size_t e = 0; e < plain.epochs.size(); ++e)
      EXPECT_EQ(with.epochs[e].loss, plain.epochs[e].loss);
  }
}

TEST_F(TrainingAdapters, KnowHowManyStepsCameBefore) {
  for (const std::int64_t slices : {1, 2}) {
    std::vector<std::int64_t> steps;
    script.request = [&](const sdk::ChangeRequest& request) {
      if (!request.training) {
        EXPECT_EQ(request.step, 0);
      }
      if (request.training && (steps.empty() || steps.back() != request.step))
        steps.push_back(request.step);
    };
    RunSpec spec = testing::tiny_spec("both", Sharing::joint);
    spec.training.slices = slices;
    const auto run = testing::run_well(spec, testing::tiny_inputs(kBoth, nullptr));
    std::int64_t all = 0;
    for (const results::EpochRecord& epoch : run.epochs)
      all += epoch.steps;
    ASSERT_GT(run.epochs.size(), 1U);
    ASSERT_EQ(static_cast<std::int64_t>(steps.size()), all) << slices << " slices";
    for (std::int64_t i = 0; i < all; ++i)
      EXPECT_EQ(steps[static_cast<std::size_t>(i)], i);
  }
}

TEST_F(TrainingAdapters, SeeWhatTheyAskedForAndNothingElse) {
  const at::Tensor sdk::StepTensors::* members[] = {&sdk::StepTensors::image_features,
                                                    &sdk::StepTensors::text_features,
                                                    &sdk::StepTensors::frozen_image_features,
                                                    &sdk::StepTensors::frozen_text_features,
                                                    &sdk::StepTensors::logits,
                                                    &sdk::StepTensors::labels};
  for (std::size_t wanted = 0; wanted < std::size(members); ++wanted) {
    int calls = 0;
    script.step_tensors = 1U << wanted;
    script.loss = [&](const sdk::StepTensors& step, std::int64_t) {
      ++calls;
      for (std::size_t m = 0; m < std::size(members); ++m)
        EXPECT_EQ((step.*members[m]).defined(), m == wanted) << wanted << " " << m;
      EXPECT_EQ(step.logit_scale.dim(), 0);
      return at::Tensor();
    };
    Bench bench(kBoth, Sharing::joint);
    (void)losses_of(bench, {0, 2});
    EXPECT_EQ(calls, 2);
  }
}

TEST_F(TrainingAdapters, SeeTheStepAsItIs) {
  std::vector<sdk::StepTensors> seen;
  script.step_tensors = step_tensor::kAll;
  script.loss = [&](const sdk::StepTensors& step, std::int64_t) {
    seen.push_back(step);
    return at::Tensor();
  };
  Bench bench(kBoth, Sharing::grouped, {{0, 2}, {1}});
  Bench frozen(testing::nothing(), Sharing::joint);
  const auto prepared = bench.backbone.prepare({0, 1, 2});
  const std::vector<TaskImages> inputs{bench.batch(0), bench.batch(1), bench.batch(2)};
  const auto logits = bench.backbone.logits(prepared, inputs);
  (void)bench.backbone.losses(prepared, inputs, labels_of(bench, {0, 1, 2}));
  ASSERT_EQ(seen.size(), 3U);
  const std::int64_t place_of[] = {0, 0, 1};  // among the tasks of the group's adapter
  for (std::size_t t = 0; t < 3; ++t) {
    const sdk::StepTensors& step = seen[t];
    const auto task = static_cast<std::int64_t>(t);
    EXPECT_EQ(step.task, place_of[t]);
    EXPECT_TRUE(step.labels.equal(labels_of(bench, {task})[0]));
    EXPECT_TRUE(step.logits.equal(logits[t]));
    // The scores follow from the features, with adapters and without.
    const auto scores = [&](const at::Tensor& images, const at::Tensor& texts) {
      return step.logit_scale * images.matmul(texts.t());
    };
    EXPECT_TRUE(
        at::allclose(scores(step.image_features, step.text_features), step.logits, 1e-5, 1e-5));
    const auto plain = frozen.backbone.logits(frozen.backbone.prepare({task}), {inputs[t]})[0];
    EXPECT_TRUE(at::allclose(scores(step.frozen_image_features, step.frozen_text_features), plain,
                             1e-5, 1e-5));
    EXPECT_FALSE(at::allclose(plain, step.logits, 1e-3, 1e-3));
    EXPECT_TRUE(step.logits.requires_grad() && step.image_features.requires_grad() &&
                step.text_features.requires_grad());
    EXPECT_FALSE(step.frozen_image_features.requires_grad() ||
                 step.frozen_text_features.requires_grad());
    EXPECT_EQ(step.frozen_image_features.size(0), kImages);
  }
}

TEST_F(TrainingAdapters, LossesOfComposedAdaptersAddUp) {
  Bench plain(testing::both_prompts(), Sharing::grouped_specific, {{0, 2}, {1}});
  const auto without = losses_of(plain, {0, 1});
  script.step_tensors = step_tensor::kLogits;
  script.loss = [](const sdk::StepTensors& step, std::int64_t place) {
    return step.logits.square().mean() * (place == 0 ? 1.0 : 10.0);
  };
  Bench bench(kBoth, Sharing::grouped_specific, {{0, 2}, {1}});
  const auto logits =
      bench.backbone.logits(bench.backbone.prepare({0, 1}), {bench.batch(0), bench.batch(1)});
  const auto with = losses_of(bench, {0, 1});
  for (std::size_t t = 0; t < 2; ++t) {
    const double more = 11.0 * logits[t].square().mean().item<double>();
    EXPECT_NEAR(with[t].item<double>(), without[t].item<double>() + more, 1e-4 * (1 + more));
  }
  with[0].backward();
  EXPECT_TRUE(bench.adapters.parameters[0][0].value.grad().defined());
}

TEST_F(TrainingAdapters, KeptFrozenFeaturesAreThoseOfThePixels) {
  std::vector<at::Tensor> seen;
  script.step_tensors = step_tensor::kFrozenImageFeatures;
  script.loss = [&](const sdk::StepTensors& step, std::int64_t) {
    seen.push_back(step.frozen_image_features);
    return at::Tensor();
  };
  // A tower with prompts, which computes them beside its own, and an untouched one.
  for (const sdk::MethodEntry* entry : {&kBoth, &kText}) {
    Bench bench(*entry, Sharing::joint);
    ASSERT_TRUE(bench.backbone.needs_frozen_features());
    TrainImages images(*bench.inputs.backbone, bench.inputs.tasks, Augmentation::flip, 1,
                       Precision::fp32);
    const auto labels = labels_of(bench, {0});
    for (std::int64_t epoch = 0; epoch < 4; ++epoch) {
      const TaskBatch batch{0, {0, 1, 2}};
      const auto prepared = bench.backbone.prepare({0});
      for (const bool kept : {true, false}) {
        const TaskImages input = images.images(batch, epoch, /*frozen_layers=*/0, kept);
        EXPECT_EQ(input.frozen_features.defined(), kept);
        (void)bench.backbone.losses(prepared, {input}, labels);
      }
      ASSERT_EQ(seen.size(), 2U);
      EXPECT_TRUE(at::allclose(seen[0], seen[1], 1e-5, 1e-6)) << entry->name << " " << epoch;
      seen.clear();
    }
  }
}

TEST_F(TrainingAdapters, TakePartInTheWarmUpOfAGrouping) {
  const auto first_loss = [](const sdk::MethodEntry& entry) {
    const auto record = testing::run_well(testing::tiny_spec("both", Sharing::grouped),
                                          testing::tiny_inputs(entry, &testing::by_gradients()));
    EXPECT_EQ(record.epochs.front().phase, "warm-up");
    return record.epochs.front().loss;
  };
  const double plain = first_loss(testing::both_prompts());
  script.step_tensors = step_tensor::kLogits;
  script.loss = [](const sdk::StepTensors& step, std::int64_t) {
    return step.logits.detach().mean() * 0.0 + 2.0;
  };
  EXPECT_NEAR(first_loss(kBoth), plain + 2.0, 1e-4);
}

TEST_F(TrainingAdapters, AreRefusedWithOneSentence) {
  script.step_tensors = step_tensor::kLogits;
  script.loss = [](const sdk::StepTensors& step, std::int64_t) { return step.logits; };
  {
    Bench bench(kBoth, Sharing::joint);
    EXPECT_THAT(error_of([&] { (void)losses_of(bench, {0}); }),
                HasSubstr("loss() gives Float [3, 3] on cpu, expected a Float scalar on cpu"));
  }
  script.loss = [](const sdk::StepTensors& step, std::int64_t) {
    return step.logits.to(at::kDouble).sum();
  };
  {
    Bench bench(kBoth, Sharing::joint);
    EXPECT_THAT(error_of([&] { (void)losses_of(bench, {0}); }), HasSubstr("gives Double []"));
  }
  script.step_tensors = 1U << 20;
  EXPECT_THAT(error_of([] { Bench bench(kBoth, Sharing::joint); }),
              HasSubstr("asks for tensors that this petlab does not know: bits 1048576"));
  script.step_tensors = step_tensor::kTextFeatures;
  EXPECT_THAT(error_of([] { Bench bench(kHead, Sharing::per_task); }),
              HasSubstr("asks for text features, but the method's class head uses no texts"));
  script.step_tensors = 0;
  for (const std::vector<double>& weights :
       {std::vector<double>{0.5, 0.5}, {0.5, 0.5, 0.5}, {-1, 1, 1}, {NAN, 0, 1}}) {
    script.epoch_weights = [weights](std::int64_t) { return weights; };
    Bench bench(kBoth, Sharing::joint);
    EXPECT_THAT(error_of([&] { (void)bench.backbone.epoch_weights(3); }),
                HasSubstr("expected 3, none negative, whose sum is 1"));
  }
}

TEST_F(TrainingAdapters, ALossThatIsNotFiniteEndsTheRunNamingTheTask) {
  script.step_tensors = step_tensor::kLogits;
  script.loss = [](const sdk::StepTensors& step, std::int64_t) {
    return step.logits.mean() * std::nan("");
  };
  const auto record =
      testing::run(testing::tiny_spec("both", Sharing::joint), testing::tiny_inputs(kBoth));
  EXPECT_EQ(record.status, results::RunStatus::failed);
  EXPECT_THAT(record.error, HasSubstr("the loss of task"));
  EXPECT_THAT(record.error, HasSubstr("is not finite in epoch 0, step 0"));
}

TEST_F(TrainingAdapters, AMeanOfEpochsIsWhatIsTested) {
  // A constant rate, so that a training of fewer epochs goes the same way.
  const auto trained = [](std::int64_t epochs, std::vector<double> weights) {
    script.epoch_weights = [weights](std::int64_t) { return weights; };
    RunSpec spec = testing::tiny_spec("both", Sharing::per_task, epochs);
    spec.training.schedule = Schedule::constant;
    spec.training.warmup_epochs = 0;
    return testing::run_well(spec, testing::tiny_inputs(kBoth)).trained_hash;
  };
  const std::string last = trained(3, {});
  EXPECT_EQ(trained(3, {0, 0, 1}), last);
  EXPECT_EQ(trained(3, {0, 1, 0}), trained(2, {}));
  EXPECT_EQ(trained(3, {1, 0, 0}), trained(1, {}));
  EXPECT_NE(trained(3, {0.25, 0.25, 0.5}), last);
}

}  // namespace
}  // namespace petlab::engine
