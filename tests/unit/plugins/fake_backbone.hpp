#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace petlab::tests {

/// A backbone of a given shape without a forward pass: all weights of the Hugging Face CLIP layout.
class FakeBackbone final : public sdk::BackboneView {
 public:
  /// Towers of unequal depth and width (image 4 x 24, text 3 x 16); weights on the CPU.
  [[nodiscard]] static FakeBackbone small();

  /// CLIP ViT-B/16 in shape; weights on the meta device, which holds no values.
  [[nodiscard]] static FakeBackbone vit_b16();

  [[nodiscard]] const sdk::BackboneShape& shape() const override { return shape_; }
  [[nodiscard]] std::vector<sdk::NamedTensor> weights() const override { return weights_; }

  /// Row i is i + 1 everywhere.
  [[nodiscard]] at::Tensor text_features(const std::vector<std::string>& texts) const override;

  /// Every word is a token; token i is a row of 100 + i.
  [[nodiscard]] at::Tensor token_embeddings(std::string_view text) const override;

 private:
  FakeBackbone(const sdk::BackboneShape& shape, std::int64_t vocabulary, at::Device device);

  void add(const std::string& name, std::vector<std::int64_t> sizes, at::Device device);
  void add_norm(const std::string& name, std::int64_t width, at::Device device);
  void add_layers(const std::string& prefix, const sdk::TowerShape& tower, at::Device device);

  sdk::BackboneShape shape_;
  std::vector<sdk::NamedTensor> weights_;
};

/// The context of an adapter that two tasks use: "art" with the classes cup, bed and alarm clock,
/// "real" with cup and fan. Training features are seeded noise, two images a class.
class FakeContext final : public sdk::AdapterContext {
 public:
  FakeContext(const sdk::BackboneView& backbone, std::uint64_t seed, std::int64_t place = 0);

  [[nodiscard]] const sdk::BackboneView& backbone() const override { return backbone_; }
  [[nodiscard]] at::Generator& generator() const override { return generator_; }
  [[nodiscard]] std::int64_t place() const override { return place_; }
  [[nodiscard]] const std::vector<sdk::TaskView>& tasks() const override { return tasks_; }
  [[nodiscard]] sdk::LabelledFeatures training_features(std::int64_t task) const override;

 private:
  const sdk::BackboneView& backbone_;
  mutable at::Generator generator_;
  std::int64_t place_;
  std::vector<sdk::TaskView> tasks_;
};

/// A CPU generator of its own.
[[nodiscard]] at::Generator make_generator(std::uint64_t seed);

}  // namespace petlab::tests
