#include "icon_fixture.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/pretrain/options.hpp"
#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

namespace petlab::pretrain {
namespace {

PretrainOptions tiny(const IconFixture& fixture, const std::string& out) {
  PretrainOptions options;
  options.package_dir = fixture.package();
  options.recipe_dir = IconFixture::recipe();
  options.out_dir = fixture.out(out);
  options.threads = 1;
  options.image_size = 32;
  options.vision_width = options.text_width = 32;
  options.vision_layers = options.text_layers = 2;
  options.vision_heads = options.text_heads = 2;
  options.embed_dim = 16;
  options.vocab_size = 600;
  options.batch_size = 8;
  options.table_families = 2;
  options.steps = 6;
  return options;
}

std::string hash_of(const PretrainOptions& options) {
  return clip::Backbone::load(options.out_dir / "model")->weight_hash();
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
  const auto backbone = clip::Backbone::load(options.out_dir / "model");
  EXPECT_EQ(backbone->shape().image_size, 32);
  const at::Tensor features = backbone->encode_image(at::zeros({2, 3, 32, 32}));
  EXPECT_TRUE(features.isfinite().all().item<bool>());
}

TEST(Run, ResumedGivesTheWeightsOfARunThatWasNeverStopped) {
  const IconFixture fixture;
  const PretrainOptions whole = tiny(fixture, "whole");
  (void)run_pretrain(whole, [](const Progress&) {});

  PretrainOptions stopped = tiny(fixture, "stopped");
  // Stopped by an exception from the sink at the checkpoint after the third step.
  stopped.checkpoint_minutes = 0;
  const auto stop = [](const Progress& report) {
    if (report.phase == Progress::Phase::saved && report.done == 3)
      throw std::runtime_error("stop");
  };
  EXPECT_THROW((void)run_pretrain(stopped, stop), std::runtime_error);
  stopped.resume = true;
  (void)run_pretrain(stopped, [](const Progress&) {});
  EXPECT_EQ(hash_of(stopped), hash_of(whole));
}

TEST(Run, RefusesImpossibleOptionsInOneSentence) {
  const IconFixture fixture;
  PretrainOptions options = tiny(fixture, "bad");
  options.vision_width = 33;
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), sdk::Error);
  options = tiny(fixture, "bad");
  options.device = "tpu";
  EXPECT_THROW((void)run_pretrain(options, [](const Progress&) {}), sdk::Error);
}

}  // namespace
}  // namespace petlab::pretrain
