#include "icon_fixture.hpp"
#include "petlab/base/error.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/safetensors.hpp"
#include "petlab/pretrain/options.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <fstream>

namespace petlab::pretrain {
namespace {

PretrainOptions tiny(const IconFixture& fixture, const std::string& out) {
  PretrainOptions options;
  options.package_dir = fixture.package();
  options.emojibase_dir = fixture.emojibase();
  options.emojilib_dir = fixture.emojilib();
  options.recipe_dir = fixture.own_recipe();
  options.out_dir = fixture.out(out);
  options.threads = 1;
  options.image_size = 32;
  options.vision_width = options.text_width = 32;
  options.vision_layers = options.text_layers = 2;
  options.vision_heads = options.text_heads = 2;
  options.embed_dim = 16;
  options.vocab_size = 540;
  options.batch_size = 8;
  options.table_families = 2;
  options.steps = 6;
  options.early_grid = 2;
  options.held_out = "mingcute";
  return options;
}

TEST(Run, WritesAModelThatLoadsAndSaysHowFarItIs) {
  const IconFixture fixture;
  const PretrainOptions options = tiny(fixture, "one");
  std::vector<Progress> reports;
  EXPECT_EQ(run_pretrain(options, [&](const Progress& report) { reports.push_back(report); }), 0);
  ASSERT_GE(reports.size(), 3U);
  EXPECT_EQ(reports.front().phase, Progress::Phase::select);
  EXPECT_EQ(reports.back().phase, Progress::Phase::saved);
  EXPECT_EQ(reports.back().done, 6);
  EXPECT_GT(reports.back().loss, 0);
  EXPECT_GE(reports.back().held_out_accuracy, 0);
  ASSERT_EQ(reports.back().held_out.size(), 1U);
  EXPECT_EQ(reports.back().held_out[0].family, "mingcute");
  // Trucks are all drawn alike here, and one is an evaluation picture.
  std::string selected;
  for (const Progress& report : reports)
    if (report.phase == Progress::Phase::select) selected = report.message;
  EXPECT_THAT(selected, testing::StartsWith("3 look like an evaluation image"));
  std::ifstream log(options.out_dir / "log.csv");
  std::string line;
  std::getline(log, line);
  EXPECT_THAT(line, testing::StartsWith("step,seconds"));
  const auto backbone = clip::Backbone::load(options.out_dir / "model");
  EXPECT_EQ(backbone->shape().image_size, 32);
  const at::Tensor features = backbone->encode_image(at::zeros({2, 3, 32, 32}));
  EXPECT_TRUE(features.isfinite().all().item<bool>());
}

/// The weights of the training itself; model/ may be of an earlier, better checkpoint.
void expect_same_training(const PretrainOptions& one, const PretrainOptions& other) {
  const auto a = clip::read_safetensors(one.out_dir / "training.safetensors");
  const auto b = clip::read_safetensors(other.out_dir / "training.safetensors");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name == "account") continue;  // it holds seconds
    EXPECT_TRUE(a[i].value.equal(b[i].value)) << a[i].name;
  }
}

/// Trains until the checkpoint after the given step, where an exception from the sink stops it.
void train_until(PretrainOptions& options, std::int64_t step) {
  options.checkpoint_minutes = 0;
  const auto stop = [&](const Progress& report) {
    if (report.phase == Progress::Phase::saved && report.done == step)
      throw std::runtime_error("stop");
  };
  EXPECT_THROW((void)run_pretrain(options, stop), std::runtime_error);
}

class ResumedRun : public testing::TestWithParam<EarlyView> {};
INSTANTIATE_TEST_SUITE_P(EachView, ResumedRun,
                         testing::Values(EarlyView::whole, EarlyView::smaller, EarlyView::patches));

TEST_P(ResumedRun, IsARunThatWasNeverStopped) {
  const IconFixture fixture;
  PretrainOptions whole = tiny(fixture, "whole");
  whole.early_view = GetParam();
  whole.contrast = GetParam() == EarlyView::whole ? Contrast::sigmoid : Contrast::softmax;
  whole.queue = 20;
  (void)run_pretrain(whole, [](const Progress&) {});

  PretrainOptions stopped = whole;
  stopped.out_dir = fixture.out("stopped");
  train_until(stopped, 3);
  stopped.resume = true;
  (void)run_pretrain(stopped, [](const Progress&) {});
  expect_same_training(stopped, whole);
}

PretrainOptions tiny_with_teacher(const IconFixture& fixture, const std::string& out) {
  PretrainOptions options = tiny(fixture, out);
  options.distillation = 0.5;
  options.teacher_share = 0.5;
  return options;
}

TEST(Run, TrainsATeacherFirstAndGoesOnInTheMiddleOfIt) {
  const IconFixture fixture;
  const PretrainOptions whole = tiny_with_teacher(fixture, "whole");
  (void)run_pretrain(whole, [](const Progress&) {});
  for (const std::int64_t step : {2, 4}) {
    PretrainOptions stopped = tiny_with_teacher(fixture, "stopped " + std::to_string(step));
    train_until(stopped, step);
    // The teacher's three steps measure nothing.
    EXPECT_EQ(std::filesystem::exists(stopped.out_dir / "model"), step > 3);
    stopped.resume = true;
    std::vector<bool> of_teacher;
    (void)run_pretrain(stopped, [&](const Progress& report) {
      if (report.phase == Progress::Phase::saved) of_teacher.push_back(report.is_teacher);
    });
    EXPECT_EQ(of_teacher.front(), step == 2);
    EXPECT_FALSE(of_teacher.back());
    expect_same_training(stopped, whole);
  }
  const auto backbone = clip::Backbone::load(whole.out_dir / "model");
  for (const sdk::NamedTensor& weight : backbone->weights())
    EXPECT_EQ(weight.name.find("teacher"), std::string::npos);
}

TEST(Run, LearnsOtherWeightsFromATeacher) {
  const IconFixture fixture;
  PretrainOptions one = tiny_with_teacher(fixture, "one");
  (void)run_pretrain(one, [](const Progress&) {});
  PretrainOptions other = tiny_with_teacher(fixture, "other");
  other.distillation = 0.4;
  (void)run_pretrain(other, [](const Progress&) {});
  const auto a = clip::read_safetensors(one.out_dir / "training.safetensors");
  const auto b = clip::read_safetensors(other.out_dir / "training.safetensors");
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    // The weight of its targets is nothing to the teacher itself.
    const bool of_teacher = a[i].name.starts_with("teacher.");
    const bool of_model = a[i].name == "weight.vision_model.embeddings.patch_embedding.weight";
    if (of_teacher || of_model) {
      EXPECT_EQ(a[i].value.equal(b[i].value), of_teacher) << a[i].name;
    }
  }
}

TEST(Run, RefusesToGoOnWithOtherOptions) {
  const IconFixture fixture;
  PretrainOptions options = tiny(fixture, "one");
  (void)run_pretrain(options, [](const Progress&) {});
  options.resume = true;
  options.learning_rate *= 2;
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), base::Error);
}

TEST(Run, RefusesImpossibleOptionsInOneSentence) {
  const IconFixture fixture;
  PretrainOptions options = tiny(fixture, "bad");
  options.vision_width = 33;
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), base::Error);
  options = tiny(fixture, "bad");
  options.early_view = EarlyView::smaller;
  options.early_grid = 4;  // as many as there are
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), base::Error);
  options = tiny(fixture, "bad");
  options.distillation = 1.5;
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), base::Error);
  options = tiny(fixture, "bad");
  options.teacher_share = 1;
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), base::Error);
  options = tiny(fixture, "bad");
  options.device = "tpu";
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), base::Error);
}

}  // namespace
}  // namespace petlab::pretrain
