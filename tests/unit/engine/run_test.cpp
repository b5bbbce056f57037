#include "petlab/engine/run.hpp"

#include "petlab/engine/losses.hpp"
#include "petlab/engine/sampler.hpp"
#include "petlab/engine/schedule.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/train_images.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace petlab::engine {
namespace {

using testing::run_well;
using testing::tiny_inputs;
using testing::tiny_spec;

void expect_equal_predictions(const results::RunRecord& x, const results::RunRecord& y) {
  ASSERT_EQ(x.tasks.size(), y.tasks.size());
  for (std::size_t t = 0; t < x.tasks.size(); ++t) {
    ASSERT_EQ(x.tasks[t].predictions.size(), y.tasks[t].predictions.size());
    for (std::size_t i = 0; i < x.tasks[t].predictions.size(); ++i) {
      EXPECT_EQ(x.tasks[t].predictions[i].predicted, y.tasks[t].predictions[i].predicted);
      EXPECT_EQ(x.tasks[t].predictions[i].probability, y.tasks[t].predictions[i].probability);
    }
  }
}

TEST(Run, IsTheSameBitsForTheSameSeed) {
  for (const auto* method : {&testing::both_prompts(), &testing::text_prompts(),
                             &testing::image_prompts(), &testing::whole_copy()}) {
    const RunInputs inputs = tiny_inputs(*method);
    const RunSpec spec = tiny_spec(method->name, Sharing::per_task);
    const auto first = run_well(spec, inputs);
    const auto second = run_well(spec, inputs);
    EXPECT_EQ(first.trained_hash, second.trained_hash);
    expect_equal_predictions(first, second);
    RunSpec other = spec;
    other.seed = 4;
    EXPECT_NE(run_well(other, inputs).trained_hash, first.trained_hash);
  }
}

TEST(Run, SeedZeroIsASeedLikeAnyOther) {
  const RunInputs inputs = tiny_inputs(testing::both_prompts());
  RunSpec spec = tiny_spec("both", Sharing::joint);
  spec.seed = 0;
  const auto first = run_well(spec, inputs);
  EXPECT_EQ(first.seed, 0U);
  EXPECT_EQ(run_well(spec, inputs).trained_hash, first.trained_hash);
  spec.seed = 1;
  EXPECT_NE(run_well(spec, inputs).trained_hash, first.trained_hash);
}

TEST(Run, KeepsWhatTheMethodSaysThatItIs) {
  const RunSpec spec = tiny_spec("nothing", Sharing::joint);
  EXPECT_EQ(run_well(spec, tiny_inputs(testing::nothing())).method_trait, "");
  sdk::MethodEntry baseline = testing::nothing();
  baseline.trait = sdk::trait::kBaseline;
  EXPECT_EQ(run_well(spec, tiny_inputs(baseline)).method_trait, results::method_trait::kBaseline);
}

TEST(Run, LeavesTheBackboneAsItWas) {
  for (const auto* method : {&testing::both_prompts(), &testing::whole_copy()}) {
    const auto record = run_well(tiny_spec(method->name, Sharing::joint), tiny_inputs(*method));
    EXPECT_EQ(record.frozen_hash_before.size(), 64U);
    EXPECT_EQ(record.frozen_hash_before, record.frozen_hash_after);
  }
}

TEST(Run, FillsTheRecord) {
  RunSpec spec = tiny_spec("both", Sharing::joint_specific, 4);
  const auto record = run_well(spec, tiny_inputs(testing::both_prompts()));
  EXPECT_EQ(record.method, "both");
  EXPECT_EQ(record.sharing, "joint+specific");
  EXPECT_EQ(record.seed, 3U);
  EXPECT_EQ(record.split_hash, "split");
  EXPECT_EQ(record.backbone, "tiny");
  EXPECT_EQ(record.precision, "float32");
  EXPECT_EQ(record.test_evaluations, 1);
  EXPECT_EQ(record.parameters.size(), 5U);  // shared, three tasks, frozen
  ASSERT_EQ(record.epochs.size(), 4U);
  EXPECT_EQ(record.epochs[0].learning_rate, 1e-5);
  EXPECT_EQ(record.epochs[1].learning_rate, 0.05);
  EXPECT_LT(record.epochs[3].loss, record.epochs[0].loss);
  ASSERT_EQ(record.costs.size(), 3U);
  EXPECT_EQ(record.costs[1].phase, "train");
  EXPECT_EQ(record.costs[1].images, 4 * (7 + 4 + 3));
  EXPECT_EQ(record.costs[2].phase, "evaluate");
  EXPECT_EQ(record.costs[2].images, 6 + 5 + 4);
  for (const auto& cost : record.costs)
    EXPECT_GT(cost.peak_host_bytes, 0);
  ASSERT_EQ(record.tasks.size(), 3U);
  EXPECT_EQ(record.tasks[2].task, "emoji");
  EXPECT_EQ(record.tasks[2].n_train, 3);
  EXPECT_EQ(record.tasks[2].n_test, 4);
  EXPECT_EQ(record.tasks[2].predictions.size(), 4U);
  for (const auto& prediction : record.tasks[2].predictions) {
    EXPECT_LT(prediction.predicted, 2);
    EXPECT_GE(prediction.probability, 0.5);  // the better one of two classes
    EXPECT_LE(prediction.probability, 1.0);
  }
  const std::pair<std::string, std::string> wording("text_template", "a photo of a {}.");
  EXPECT_EQ(std::count(record.environment.begin(), record.environment.end(), wording), 1);
  EXPECT_FALSE(record.started.empty());
  EXPECT_FALSE(record.finished.empty());
}

TEST(Run, ZeroShotIsWhatTheBackboneSays) {
  const RunInputs inputs = tiny_inputs(testing::nothing());
  const auto record = run_well(tiny_spec("nothing", Sharing::joint), inputs);
  EXPECT_TRUE(record.epochs.empty());
  EXPECT_EQ(record.trained_hash, "");
  const clip::Backbone& backbone = *inputs.backbone;
  const auto test = inputs.load_test();
  for (std::size_t t = 0; t < inputs.tasks.size(); ++t) {
    std::vector<std::string> texts;
    for (const std::string& name : inputs.tasks[t].classes)
      texts.push_back("a photo of a " + name + ".");
    const at::Tensor text = backbone.encode_text(
        backbone.tokenizer().encode_batch(texts, backbone.shape().context_length));
    const at::Tensor image =
        backbone.encode_image(clip::normalise_pixels(test[t].images, backbone.preprocessing()));
    const at::Tensor cosine =
        at::matmul(image / image.norm(2, {1}, true), (text / text.norm(2, {1}, true)).t());
    const at::Tensor probability = at::softmax(cosine * backbone.logit_scale(), 1);
    const at::Tensor best = probability.argmax(1);
    std::int64_t correct = 0;
    double loss = 0.0;
    for (std::int64_t i = 0; i < test[t].size(); ++i) {
      const std::int64_t label = test[t].labels[static_cast<std::size_t>(i)];
      const auto& prediction = record.tasks[t].predictions[static_cast<std::size_t>(i)];
      EXPECT_EQ(prediction.predicted, best[i].item<std::int64_t>());
      EXPECT_NEAR(prediction.probability, probability[i].max().item<double>(), 1e-5);
      correct += best[i].item<std::int64_t>() == label ? 1 : 0;
      loss -= std::log(probability[i][label].item<double>());
    }
    EXPECT_EQ(record.tasks[t].n_correct, correct);
    EXPECT_NEAR(record.tasks[t].loss, loss / static_cast<double>(test[t].size()), 1e-4);
  }
}

TEST(Run, PerTaskIsARunOfEachTaskAlone) {
  for (const auto* method :
       {&testing::both_prompts(), &testing::text_prompts(), &testing::whole_copy()}) {
    const RunInputs inputs = tiny_inputs(*method);
    RunSpec spec = tiny_spec(method->name, Sharing::per_task, 3);
    spec.training.augmentation = Augmentation::flip;
    const auto together = run_well(spec, inputs);
    for (std::size_t t = 0; t < inputs.tasks.size(); ++t) {
      RunInputs one = inputs;
      one.tasks = {inputs.tasks[t]};
      one.load_test = [only = inputs.load_test()[t]] { return std::vector<LabelledImages>{only}; };
      const auto alone = run_well(spec, one);
      EXPECT_NEAR(alone.tasks[0].loss, together.tasks[t].loss, 1e-3) << method->name;
      for (std::size_t i = 0; i < alone.tasks[0].predictions.size(); ++i) {
        EXPECT_EQ(alone.tasks[0].predictions[i].predicted,
                  together.tasks[t].predictions[i].predicted);
        EXPECT_NEAR(alone.tasks[0].predictions[i].probability,
                    together.tasks[t].predictions[i].probability, 1e-3);
      }
    }
  }
}

// One group of one task: the run by hand, with the prompts joined, stacked and stepped here.
TEST(Run, GroupedAndSpecificIsItsHandComposition) {
  RunInputs inputs;
  inputs.method = &testing::both_prompts();
  inputs.grouping = &testing::all_in_one();
  inputs.backbone = testing::tiny_backbone();
  testing::add_task(inputs, {"line", {"cup", "bed", "fan"}, 7, 6});
  RunSpec spec = tiny_spec("both", Sharing::grouped_specific, 3);
  spec.training.momentum = 0.0;
  spec.training.weight_decay = 0.0;
  const auto record = run_well(spec, inputs);
  ASSERT_TRUE(record.grouping.has_value());
  EXPECT_EQ(record.parameters[0].scope, "group");
  EXPECT_EQ(record.parameters[1].scope, "task");

  const clip::Backbone& backbone = *inputs.backbone;
  const auto make = [&](Scope scope) {
    return testing::tiny_adapter(*inputs.method, backbone, inputs.tasks, spec.seed, scope,
                                 scope == Scope::group ? "1" : "line")
        ->parameters();
  };
  const auto group = make(Scope::group);
  const auto task = make(Scope::task);
  ASSERT_EQ(group[0].name, "text");
  const std::vector<std::string> texts = {"a photo of a cup.", "a photo of a bed.",
                                          "a photo of a fan."};
  const clip::TokenBatch tokens =
      backbone.tokenizer().encode_batch(texts, backbone.shape().context_length);
  const auto composed = [&](std::size_t tower) {
    clip::TowerBatch prompts;
    for (std::int64_t layer = 0; layer < 2; ++layer) {
      prompts.layers.push_back(
          at::cat({group[tower].value[layer], task[tower].value[layer]}).unsqueeze(0));
    }
    return prompts;
  };
  const auto logits = [&](const at::Tensor& images) {
    const at::Tensor pixels = clip::normalise_pixels(images, backbone.preprocessing());
    return clip::similarity_logits(backbone.encode_image(pixels, composed(1)),
                                   backbone.encode_text(tokens, composed(0)),
                                   backbone.logit_scale());
  };
  for (std::int64_t epoch = 0; epoch < spec.training.epochs; ++epoch) {
    for (const auto& batch : task_batches({"line", 7}, spec.training.batch, spec.seed, epoch)) {
      std::vector<std::int64_t> labels;
      for (const auto position : batch)
        labels.push_back(inputs.tasks[0].train.labels[static_cast<std::size_t>(position)]);
      const at::Tensor index = at::tensor(batch, at::kLong);
      cross_entropy(logits(inputs.tasks[0].train.images.index_select(0, index)),
                    at::tensor(labels, at::kLong))
          .backward();
      const at::NoGradGuard no_grad;
      for (const auto* list : {&group, &task}) {
        for (const auto& parameter : *list) {
          at::Tensor value = parameter.value;
          value.sub_(value.grad() * learning_rate_at(spec.training, epoch));
          value.mutable_grad().reset();
        }
      }
    }
  }
  const at::NoGradGuard no_grad;
  const auto test = inputs.load_test();
  const at::Tensor probability = at::softmax(logits(test[0].images), 1);
  for (std::int64_t i = 0; i < test[0].size(); ++i) {
    const auto& prediction = record.tasks[0].predictions[static_cast<std::size_t>(i)];
    EXPECT_EQ(prediction.predicted, probability[i].argmax().item<std::int64_t>());
    EXPECT_NEAR(prediction.probability, probability[i].max().item<double>(), 1e-4);
  }
}

TEST(Run, WorksInReducedPrecisionAndWithEveryAugmentation) {
  for (const auto augmentation :
       {Augmentation::none, Augmentation::flip, Augmentation::crop_flip}) {
    for (const auto* method : {&testing::both_prompts(), &testing::text_prompts()}) {
      RunSpec spec = tiny_spec(method->name, Sharing::joint, 2);
      spec.training.augmentation = augmentation;
      spec.training.precision = Precision::bf16;
      spec.training.optimizer = OptimizerKind::adamw;
      const auto record = run_well(spec, tiny_inputs(*method));
      EXPECT_EQ(record.precision, "bfloat16");
    }
  }
}

TEST(Run, TouchesTheFrozenImageTowerOnceAnImage) {
  const auto record =
      run_well(tiny_spec("text", Sharing::joint, 5), tiny_inputs(testing::text_prompts()));
  EXPECT_EQ(record.costs[1].images, 7 + 4 + 3);
}

}  // namespace
}  // namespace petlab::engine
