#include "petlab/pretrain/model.hpp"

#include "icon_fixture.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>

namespace petlab::pretrain {
namespace {

constexpr std::int64_t kRows = 5;

PretrainOptions small_options() {
  PretrainOptions options;
  options.image_size = 48;
  options.vision_width = options.text_width = 32;
  options.vision_layers = options.text_layers = 2;
  options.vision_heads = options.text_heads = 2;
  options.embed_dim = 16;
  options.vocab_size = 520;
  return options;
}

class Models : public testing::Test {
 protected:
  Models() {
    std::filesystem::create_directories(tokenizer_);
    const std::vector<std::pair<std::string, std::int64_t>> texts{{"a red umbrella", 3},
                                                                  {"trucks and lorries", 2}};
    clip::train_tokenizer(texts, 520, 40, tokenizer_);
  }
  [[nodiscard]] Model make(const PretrainOptions& options) const {
    at::Generator generator = at::detail::createCPUGenerator(3);
    return {options, tokenizer_, kRows, c10::kCPU, generator};
  }
  [[nodiscard]] static at::Tensor pictures() {
    at::Generator generator = at::detail::createCPUGenerator(8);
    return at::rand({3, 3, 48, 48}, generator, at::kFloat);
  }

  IconFixture fixture_;
  std::filesystem::path tokenizer_ = fixture_.out("tokenizer");
};

TEST_F(Models, RunTextsInAnyOrderToTheSameFeatures) {
  const Model model = make(small_options());
  const auto weights = Model::in_type(model.parameters(), at::kFloat);
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i)
    texts.push_back(i % 3 == 0 ? "umbrella" : "a red umbrella and lorries " + std::to_string(i));
  // 40 texts run in parts of like lengths, one by one they do not.
  const at::Tensor together = model.encode_text(texts, weights);
  for (std::int64_t i = 0; i < 40; ++i) {
    const at::Tensor alone = model.encode_text({texts[static_cast<std::size_t>(i)]}, weights);
    EXPECT_LT((together[i] - alone[0]).abs().max().item<double>(), 1e-5) << i;
  }
}

TEST_F(Models, SeeTheChosenPatchesAndNothingElse) {
  PretrainOptions options = small_options();
  options.early_view = EarlyView::patches;
  options.early_grid = 5;
  const Model model = make(options);
  const auto weights = Model::in_type(model.parameters(), at::kFloat);
  const at::Tensor one = pictures();
  at::Tensor other = one.clone();
  at::Generator generator = at::detail::createCPUGenerator(1);
  const View view = draw_view(options, 0.0, generator);
  ASSERT_EQ(view.patches.size(0), 25);
  for (std::int64_t patch = 0; patch < 36; ++patch)
    if (!(view.patches == patch).any().item<bool>())
      other.narrow(2, patch / 6 * 8, 8).narrow(3, patch % 6 * 8, 8).zero_();
  EXPECT_FALSE(one.equal(other));
  const at::Tensor features = model.encode_image(one, weights, at::kFloat, view);
  EXPECT_TRUE(features.equal(model.encode_image(other, weights, at::kFloat, view)));
  EXPECT_FALSE(features.equal(model.encode_image(one, weights, at::kFloat)));
}

TEST_F(Models, SmallerPicturesReachThePositionEmbedding) {
  PretrainOptions options = small_options();
  options.early_view = EarlyView::smaller;
  options.early_grid = 4;
  const Model model = make(options);
  const auto weights = Model::in_type(model.parameters(), at::kFloat);
  at::Generator generator = at::detail::createCPUGenerator(1);
  const View view = draw_view(options, 0.1, generator);
  ASSERT_EQ(view.kind, EarlyView::smaller);
  model.encode_image(pictures(), weights, at::kFloat, view).pow(2).sum().backward();
  const at::Tensor places =
      model.parameter("vision_model.embeddings.position_embedding.weight").grad();
  ASSERT_TRUE(places.defined());
  EXPECT_TRUE((places.abs().sum(1) > 0).all().item<bool>());  // every one of the 36 places
}

TEST_F(Models, SeeWholePicturesInTheLatePart) {
  PretrainOptions options = small_options();
  options.early_view = EarlyView::patches;
  options.early_share = 0.4;
  at::Generator generator = at::detail::createCPUGenerator(1);
  EXPECT_EQ(draw_view(options, 0.39, generator).kind, EarlyView::patches);
  EXPECT_EQ(draw_view(options, 0.4, generator).kind, EarlyView::whole);
}

}  // namespace
}  // namespace petlab::pretrain
