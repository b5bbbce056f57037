#include "petlab/clip/backbone.hpp"

#include "model_fixture.hpp"
#include "petlab/clip/safetensors.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::clip {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::vector<std::string> kTexts{"a photo of a dog.", "a bed"};

TokenBatch tokens_of(const Backbone& backbone, std::span<const std::string> texts = kTexts) {
  return backbone.tokenizer().encode_batch(texts, backbone.shape().context_length);
}

TEST(Backbone, SavesAndLoadsTheSame) {
  const test::TemporaryFolder folder;
  const auto model = folder.path() / "model";
  const auto backbone = test::small_backbone();
  backbone->save(model, test::tokenizer_folder(), at::kFloat);
  const auto loaded = Backbone::load(model);
  EXPECT_EQ(loaded->weight_hash(), backbone->weight_hash());
  const at::Tensor pixels = test::random_tensor({2, 3, 16, 16}, 3);
  EXPECT_TRUE(at::equal(loaded->encode_image(pixels), backbone->encode_image(pixels)));
  EXPECT_TRUE(at::equal(loaded->encode_text(tokens_of(*loaded)),
                        backbone->encode_text(tokens_of(*backbone))));
  EXPECT_EQ(loaded->logit_scale().item<float>(), backbone->logit_scale().item<float>());
  EXPECT_EQ(loaded->preprocessing().image_size, 16);

  // Half precision on disk; a second round trip then loses nothing.
  backbone->save(model, test::tokenizer_folder(), at::kHalf);
  const auto half = Backbone::load(model);
  EXPECT_EQ(half->weights()[1].value.scalar_type(), at::kFloat);
  EXPECT_LE(test::distance(half->encode_image(pixels), backbone->encode_image(pixels)), 1e-2);
  half->save(model, model, at::kHalf);
  EXPECT_EQ(Backbone::load(model)->weight_hash(), half->weight_hash());
}

TEST(Backbone, HashChangesWithOneByte) {
  const auto backbone = test::small_backbone();
  const std::string before = backbone->weight_hash();
  EXPECT_EQ(before.size(), 64U);
  EXPECT_EQ(before, test::small_backbone()->weight_hash());
  EXPECT_NE(before, test::small_backbone(2)->weight_hash());
  for (const char* name : {"vision_model.encoder.layers.2.self_attn.k_proj.weight",
                           "text_model.final_layer_norm.bias", "logit_scale"}) {
    for (const sdk::NamedTensor& weight : backbone->weights()) {
      if (weight.name != name) continue;
      auto* byte = static_cast<unsigned char*>(weight.value.mutable_data_ptr());
      *byte ^= 1;
      EXPECT_NE(backbone->weight_hash(), before) << name;
      *byte ^= 1;
    }
  }
  EXPECT_EQ(backbone->weight_hash(), before);
}

TEST(Backbone, NamesTheTensorThatDoesNotFit) {
  const test::TemporaryFolder folder;
  const auto backbone = test::small_backbone();
  backbone->save(folder.path(), test::tokenizer_folder(), at::kFloat);
  const auto file = folder.path() / "model.safetensors";
  const auto error_with = [&](const std::function<void(std::vector<sdk::NamedTensor>&)>& change) {
    std::vector<sdk::NamedTensor> tensors = backbone->weights();
    change(tensors);
    write_safetensors(tensors, file);
    return test::error_of([&] { (void)Backbone::load(folder.path()); });
  };
  const std::string first = backbone->weights()[0].name;
  EXPECT_THAT(error_with([](auto& t) { t.erase(t.begin()); }),
              AllOf(HasSubstr(file.string()), HasSubstr("lacks the tensor '" + first + "'")));
  EXPECT_THAT(error_with([](auto& t) { t.push_back({"extra", at::ones({1})}); }),
              HasSubstr("holds the tensor 'extra', which"));
  EXPECT_THAT(error_with([](auto& t) { t[1].value = t[1].value.t(); }),
              AllOf(HasSubstr("has shape ["), HasSubstr(", expected ["),
                    HasSubstr(backbone->weights()[1].name)));
  EXPECT_THAT(error_with([](auto& t) { t[0].value = at::zeros(t[0].value.sizes(), at::kInt); }),
              HasSubstr("tensor '" + first + "' has type Int, expected a floating type"));
  // What old checkpoints hold beside the weights is passed over.
  std::vector<sdk::NamedTensor> tensors = backbone->weights();
  tensors.push_back({"text_model.embeddings.position_ids", at::arange(20).view({1, 20})});
  write_safetensors(tensors, file);
  EXPECT_EQ(Backbone::load(folder.path())->weight_hash(), backbone->weight_hash());
}

TEST(Backbone, FilesOfDifferentModelsAreRefused) {
  const test::TemporaryFolder folder;
  test::small_backbone()->save(folder.path(), test::tokenizer_folder(), at::kFloat);
  const auto error = [&] { return test::error_of([&] { (void)Backbone::load(folder.path()); }); };
  Config config = test::small_config();
  config.eos_token_id = 557;
  write_config(config, folder.path());
  EXPECT_THAT(
      error(),
      HasSubstr("end token has the id 559, but the model's configuration has eos_token_id 557"));
  config.eos_token_id = 2;  // OpenAI's way to say "the highest"
  write_config(config, folder.path());
  EXPECT_NO_THROW((void)Backbone::load(folder.path()));
  write_preprocessing(Preprocessing{.image_size = 32}, folder.path());
  EXPECT_THAT(error(),
              HasSubstr("has crop_size 32, but the model's configuration has image_size 16"));
}

TEST(Backbone, CountsTheParametersOfViTB16) {
  Config config;
  config.shape = {.vision = {.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072},
                  .text = {.layers = 12, .width = 512, .heads = 8, .mlp_width = 2048},
                  .embed_dim = 512,
                  .image_size = 224,
                  .patch_size = 16,
                  .context_length = 77};
  config.vocab_size = 49408;
  config.eos_token_id = 2;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(1);
  const auto backbone = Backbone::random(config, Tokenizer::load(test::tokenizer_folder()),
                                         Preprocessing{}, generator);
  EXPECT_EQ(backbone->parameter_count(), 149'620'737);
  EXPECT_EQ(backbone->weights().size(), 398U);
}

TEST(Backbone, OverridesTrainEveryWeight) {
  const auto backbone = test::small_backbone();
  const at::Tensor pixels = test::random_tensor({2, 3, 16, 16}, 3);
  const TokenBatch tokens = tokens_of(*backbone);
  WeightOverrides overrides;
  for (const sdk::NamedTensor& weight : backbone->weights())
    overrides[weight.name] = weight.value.clone().set_requires_grad(true);
  const at::Tensor images = backbone->encode_image(pixels, {}, overrides);
  const at::Tensor texts = backbone->encode_text(tokens, {}, overrides);
  EXPECT_LE(test::distance(images, backbone->encode_image(pixels)), 1e-6);
  EXPECT_LE(test::distance(texts, backbone->encode_text(tokens)), 1e-6);
  similarity_logits(images, texts, backbone->logit_scale(overrides)).select(1, 0).sum().backward();
  for (const auto& [name, value] : overrides) {
    ASSERT_TRUE(value.grad().defined()) << name;
    // A bias of keys shifts all scores of a query alike: the gradient is 0 up to rounding.
    if (name.ends_with("k_proj.bias")) continue;
    EXPECT_GT(value.grad().abs().sum().item<double>(), 0) << name;
  }
  for (const sdk::NamedTensor& weight : backbone->weights())
    EXPECT_FALSE(weight.value.grad().defined()) << weight.name;
}

TEST(Backbone, RefusesOverridesThatDoNotFit) {
  const auto backbone = test::small_backbone();
  const at::Tensor pixels = test::random_tensor({1, 3, 16, 16}, 3);
  EXPECT_THAT(test::error_of([&] {
                (void)backbone->encode_image(pixels, {}, {{"no.such.weight", at::ones({1})}});
              }),
              HasSubstr("no weight 'no.such.weight'"));
  EXPECT_THAT(test::error_of([&] {
                (void)backbone->encode_image(pixels, {},
                                             {{"visual_projection.weight", at::ones({1})}});
              }),
              HasSubstr("'visual_projection.weight' has shape [1], expected [16, 32]"));
}

TEST(Backbone, WorksInTheCallersModes) {
  const auto backbone = test::small_backbone();
  const at::Tensor pixels = test::random_tensor({2, 3, 16, 16}, 3);
  const TokenBatch tokens = tokens_of(*backbone);
  const at::Tensor images = backbone->encode_image(pixels);
  const at::Tensor texts = backbone->encode_text(tokens);
  {
    const c10::NoGradGuard no_grad;
    EXPECT_TRUE(at::equal(backbone->encode_image(pixels), images));
  }
  {
    const c10::InferenceMode inference;
    EXPECT_TRUE(at::equal(backbone->encode_image(pixels), images));
    EXPECT_TRUE(at::equal(backbone->encode_text(tokens), texts));
    // A backbone made here must still serve training later.
    const auto other = test::small_backbone();
    EXPECT_FALSE(other->weights()[0].value.is_inference());
  }
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  sdk::TowerChanges changes;
  changes.prompts = {{0, test::random_tensor({2, 32}, 4).set_requires_grad(true)},
                     {1, test::random_tensor({2, 32}, 5).set_requires_grad(true)}};
  const at::Tensor cast_images = backbone->encode_image(pixels);
  const at::Tensor cast_texts = backbone->encode_text(tokens);
  const at::Tensor prompted = backbone->encode_image(pixels, stack_changes({{&changes}}, 3, {}));
  at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_LE(test::distance(cast_images.to(at::kFloat), images), 0.1);
  EXPECT_LE(test::distance(cast_texts.to(at::kFloat), texts), 0.1);
  prompted.sum().backward();
  EXPECT_GT(changes.prompts[1].tokens.grad().abs().sum().item<double>(), 0);
}

TEST(Backbone, PaddingDoesNotChangeAText) {
  const auto backbone = test::small_backbone();
  const std::vector<std::string> one{"a bed"};
  const at::Tensor alone = backbone->encode_text(tokens_of(*backbone, one));
  EXPECT_LE(test::distance(backbone->encode_text(tokens_of(*backbone))[1], alone[0]), 1e-6);
}

TEST(Backbone, TokenEmbeddingsAreACopy) {
  const auto backbone = test::small_backbone();
  const std::string before = backbone->weight_hash();
  const at::Tensor embeddings = backbone->token_embeddings("a photo of a");
  const auto ids = backbone->tokenizer().encode("a photo of a");
  ASSERT_EQ(embeddings.size(0), static_cast<std::int64_t>(ids.size()));
  EXPECT_EQ(embeddings.size(1), 24);
  embeddings.zero_();
  EXPECT_EQ(backbone->weight_hash(), before);
  EXPECT_EQ(backbone->token_embeddings("").size(0), 0);
}

TEST(Backbone, RefusesPixelsOfAnotherSize) {
  const auto backbone = test::small_backbone();
  EXPECT_THAT(
      test::error_of([&] { (void)backbone->encode_image(test::random_tensor({1, 3, 8, 8}, 1)); }),
      HasSubstr("[1, 3, 8, 8], expected [B, 3, 16, 16]"));
}

TEST(SimilarityLogits, AreScaledCosines) {
  const at::Tensor images = at::tensor({3.0F, 0.0F, 1.0F, 1.0F}).view({2, 2});
  const at::Tensor texts = at::tensor({0.0F, 2.0F, 5.0F, 0.0F}).view({2, 2});
  const at::Tensor logits = similarity_logits(images, texts, at::scalar_tensor(10.0));
  const auto half = static_cast<float>(10 / std::sqrt(2.0));
  EXPECT_LE(test::distance(logits, at::tensor({0.0F, 10.0F, half, half}).view({2, 2})), 1e-5);
}

}  // namespace
}  // namespace petlab::clip
