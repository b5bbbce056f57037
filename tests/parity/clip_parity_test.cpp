// Both towers against transformers' CLIPModel (features, zero-shot logits) and against a PyTorch
// forward with prompts (features, gradients). The models have seeded random weights and are written
// by write_model.py when the test runs.
#include "difference.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/safetensors.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <map>

namespace petlab::clip {
namespace {

using parity::difference;
using parity::kTolerance;
/// Of a gradient's largest value: sums over many terms, in another order than the reference's.
constexpr double kGradientTolerance = 5e-5;

at::Tensor unit(const at::Tensor& x) {
  return x / x.norm(2, -1, /*keepdim=*/true);
}

/// The same as a share of the reference's largest value, however small.
double relative_difference(const at::Tensor& ours, const at::Tensor& reference) {
  return ((ours - reference).abs().max() / reference.abs().max()).item<double>();
}

at::Tensor gradient_of(const at::Tensor& loss, const at::Tensor& leaf) {
  return torch::autograd::grad({loss}, {leaf}, {}, /*retain_graph=*/true)[0];
}

const std::vector<std::string> kSmallModels = {"quick-gelu", "gelu", "half", "bfloat", "l14-336"};

/// Writes the model and what it must give. One Python process writes all the small ones, as its
/// start takes longer than they do; those of full size are written one by one.
std::filesystem::path model_folder(const std::string& kind) {
  static bool has_small = false;
  const auto all = std::filesystem::path(PETLAB_BINARY_DIR) / "parity" / "models";
  const bool is_small =
      std::find(kSmallModels.begin(), kSmallModels.end(), kind) != kSmallModels.end();
  if (is_small && has_small) return all / kind;
  std::vector<std::string> arguments = {parity::small_tokenizer().string(), all.string()};
  if (is_small) {
    arguments.insert(arguments.end(), kSmallModels.begin(), kSmallModels.end());
  } else {
    arguments.push_back(kind);
  }
  parity::run_reference("write_model.py", arguments);
  has_small = has_small || is_small;
  return all / kind;
}

class ClipParity : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = model_folder(GetParam());
    backbone_ = Backbone::load(folder_);
    for (sdk::NamedTensor& tensor : read_safetensors(folder_ / "expected.safetensors"))
      expected_.emplace(tensor.name, tensor.value);
    const auto texts = nlohmann::json::parse(std::ifstream(folder_ / "texts.json"));
    tokens_ = backbone_->tokenizer().encode_batch(texts.get<std::vector<std::string>>(),
                                                  backbone_->shape().context_length);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  const at::Tensor& expected(const std::string& name) const { return expected_.at(name); }

  /// The scalar whose gradients write_model.py wrote.
  at::Tensor loss(const at::Tensor& images, const at::Tensor& texts,
                  const WeightOverrides& overrides = {}) const {
    return (similarity_logits(images, texts, backbone_->logit_scale(overrides)) *
            expected("weighting"))
        .sum();
  }

  /// Prompts of a case as leaves, one a layer.
  std::map<std::int64_t, at::Tensor> prompts(const std::string& name) const {
    std::map<std::int64_t, at::Tensor> result;
    const std::string prefix = name + ".prompt.";
    for (const auto& [key, value] : expected_)
      if (key.starts_with(prefix))
        result[std::stoll(key.substr(prefix.size()))] = value.clone().set_requires_grad(true);
    return result;
  }

  void check_prompts(const std::string& name, bool is_text) const {
    const auto leaves = prompts(name);
    ASSERT_FALSE(leaves.empty());
    sdk::TowerChanges changes;
    for (const auto& [layer, leaf] : leaves)
      changes.prompts.push_back({layer, leaf});
    const auto& shape = is_text ? backbone_->shape().text : backbone_->shape().vision;
    const TowerBatch batch = stack_changes({{&changes}}, shape.layers, {});

    at::Tensor images, texts;
    if (is_text) {
      images = expected("image_features");
      texts = backbone_->encode_text(tokens_, batch);
    } else {
      images = backbone_->encode_image(expected("pixels"), batch);
      texts = expected("text_features");
    }
    const double features =
        difference(unit(is_text ? texts : images), expected(name + ".features"));
    EXPECT_LE(features, kTolerance);
    double gradients = 0;
    const at::Tensor value = loss(images, texts);
    for (const auto& [layer, leaf] : leaves) {
      const double one = relative_difference(gradient_of(value, leaf),
                                             expected(name + ".gradient." + std::to_string(layer)));
      EXPECT_LE(one, kGradientTolerance) << "layer " << layer;
      gradients = std::max(gradients, one);
    }
    std::cout << "  " << GetParam() << " " << name << ": features differ by " << features
              << ", gradients by " << gradients << "\n";
  }

  std::filesystem::path folder_;
  std::shared_ptr<Backbone> backbone_;
  std::map<std::string, at::Tensor> expected_;
  TokenBatch tokens_;
};

// One test, as writing and loading a model of full size takes its time.
TEST_P(ClipParity, FeaturesLogitsAndGradientsEqualTheReference) {
  const std::int64_t length = tokens_.ids.size(1);
  ASSERT_LT(length, backbone_->shape().context_length) << "texts should be cut";
  EXPECT_TRUE(at::equal(tokens_.ids, expected("ids").narrow(1, 0, length)));
  EXPECT_TRUE(at::equal(tokens_.eot, expected("eot")));

  const at::Tensor images = backbone_->encode_image(expected("pixels"));
  const at::Tensor texts = backbone_->encode_text(tokens_);
  const double image_difference = difference(unit(images), expected("image_features"));
  const double text_difference = difference(unit(texts), expected("text_features"));
  const double logit_difference =
      difference(similarity_logits(images, texts, backbone_->logit_scale()), expected("logits"));
  EXPECT_LE(image_difference, kTolerance);
  EXPECT_LE(text_difference, kTolerance);
  EXPECT_LE(logit_difference, kTolerance);
  std::cout << "  " << GetParam() << ": image features differ by " << image_difference
            << ", text features by " << text_difference << ", logits by " << logit_difference
            << "\n";

  // The features of CLIPModel are normalised already; that changes no logit.
  check_prompts("text_shallow", /*is_text=*/true);
  check_prompts("text_deep", /*is_text=*/true);
  check_prompts("text_half_deep", /*is_text=*/true);
  check_prompts("vision_shallow", /*is_text=*/false);
  check_prompts("vision_deep", /*is_text=*/false);
  check_prompts("vision_late", /*is_text=*/false);

  WeightOverrides overrides;
  // All of a small model's weights; of a large one those that the reference has gradients of.
  const bool is_small = backbone_->parameter_count() < 100'000'000;
  for (const sdk::NamedTensor& weight : backbone_->weights())
    if (is_small || expected_.contains("weight_gradient." + weight.name))
      overrides[weight.name] = weight.value.clone().set_requires_grad(true);
  const at::Tensor value = loss(backbone_->encode_image(expected("pixels"), {}, overrides),
                                backbone_->encode_text(tokens_, {}, overrides), overrides);
  int checked = 0;
  double worst = 0;
  for (const auto& [key, gradient] : expected_) {
    constexpr std::string_view kPrefix = "weight_gradient.";
    if (!key.starts_with(kPrefix)) continue;
    const double one =
        relative_difference(gradient_of(value, overrides.at(key.substr(kPrefix.size()))), gradient);
    EXPECT_LE(one, kGradientTolerance) << key;
    worst = std::max(worst, one);
    ++checked;
  }
  EXPECT_EQ(checked, 13);
  std::cout << "  " << GetParam() << ": gradients of weights differ by " << worst << "\n";
}

std::string name_of(const ::testing::TestParamInfo<std::string>& kind) {
  std::string name = kind.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Models, ClipParity, ::testing::ValuesIn(kSmallModels), name_of);
INSTANTIATE_TEST_SUITE_P(FullSize, ClipParity, ::testing::Values("vit-b16", "vit-b32"), name_of);

}  // namespace
}  // namespace petlab::clip
