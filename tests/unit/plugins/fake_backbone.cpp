#include "fake_backbone.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/normal.h>
#include <ATen/ops/remainder.h>

#include <algorithm>

namespace petlab::tests {

FakeBackbone FakeBackbone::small() {
  return {{.vision = {.layers = 4, .width = 24, .heads = 2, .mlp_width = 96},
           .text = {.layers = 3, .width = 16, .heads = 2, .mlp_width = 64},
           .embed_dim = 12,
           .image_size = 32,
           .patch_size = 8,
           .context_length = 32},
          100,
          at::kCPU};
}

FakeBackbone FakeBackbone::vit_b16() {
  return {{.vision = {.layers = 12, .width = 768, .heads = 12, .mlp_width = 3072},
           .text = {.layers = 12, .width = 512, .heads = 8, .mlp_width = 2048},
           .embed_dim = 512,
           .image_size = 224,
           .patch_size = 16,
           .context_length = 77},
          49408,
          at::kMeta};
}

FakeBackbone::FakeBackbone(const sdk::BackboneShape& shape, std::int64_t vocabulary,
                           at::Device device)
    : shape_(shape) {
  const std::int64_t patches = shape.image_size / shape.patch_size;
  const std::string vision = "vision_model.";
  add(vision + "embeddings.class_embedding", {shape.vision.width}, device);
  add(vision + "embeddings.patch_embedding.weight",
      {shape.vision.width, 3, shape.patch_size, shape.patch_size}, device);
  add(vision + "embeddings.position_embedding.weight", {patches * patches + 1, shape.vision.width},
      device);
  add_norm(vision + "pre_layrnorm", shape.vision.width, device);
  add_layers(vision, shape.vision, device);
  add_norm(vision + "post_layernorm", shape.vision.width, device);
  add("visual_projection.weight", {shape.embed_dim, shape.vision.width}, device);

  const std::string text = "text_model.";
  add(text + "embeddings.token_embedding.weight", {vocabulary, shape.text.width}, device);
  add(text + "embeddings.position_embedding.weight", {shape.context_length, shape.text.width},
      device);
  add_layers(text, shape.text, device);
  add_norm(text + "final_layer_norm", shape.text.width, device);
  add("text_projection.weight", {shape.embed_dim, shape.text.width}, device);
  add("logit_scale", {}, device);
  // Checkpoints hold this buffer too; it is no weight.
  weights_.push_back({text + "embeddings.position_ids",
                      at::arange(shape.context_length, at::TensorOptions(at::kLong)).to(device)});
}

void FakeBackbone::add(const std::string& name, std::vector<std::int64_t> sizes,
                       at::Device device) {
  weights_.push_back(
      {name, at::full(sizes, 0.5, at::TensorOptions().dtype(at::kFloat).device(device))});
}

void FakeBackbone::add_norm(const std::string& name, std::int64_t width, at::Device device) {
  add(name + ".weight", {width}, device);
  add(name + ".bias", {width}, device);
}

void FakeBackbone::add_layers(const std::string& prefix, const sdk::TowerShape& tower,
                              at::Device device) {
  for (std::int64_t i = 0; i < tower.layers; ++i) {
    const std::string layer = prefix + "encoder.layers." + std::to_string(i) + ".";
    for (const char* linear : {"k_proj", "v_proj", "q_proj", "out_proj"}) {
      add(layer + "self_attn." + linear + ".weight", {tower.width, tower.width}, device);
      add(layer + "self_attn." + linear + ".bias", {tower.width}, device);
    }
    add_norm(layer + "layer_norm1", tower.width, device);
    add(layer + "mlp.fc1.weight", {tower.mlp_width, tower.width}, device);
    add(layer + "mlp.fc1.bias", {tower.mlp_width}, device);
    add(layer + "mlp.fc2.weight", {tower.width, tower.mlp_width}, device);
    add(layer + "mlp.fc2.bias", {tower.width}, device);
    add_norm(layer + "layer_norm2", tower.width, device);
  }
}

at::Tensor FakeBackbone::token_embeddings(std::string_view text) const {
  const auto words = std::count(text.begin(), text.end(), ' ') + 1;
  return at::arange(words, at::TensorOptions(at::kFloat))
      .add(100.0)
      .unsqueeze(1)
      .expand({words, shape_.text.width})
      .contiguous();
}

at::Tensor FakeBackbone::text_features(const std::vector<std::string>& texts) const {
  const auto n = static_cast<std::int64_t>(texts.size());
  return at::arange(1, n + 1, at::TensorOptions(at::kFloat))
      .unsqueeze(1)
      .expand({n, shape_.embed_dim})
      .contiguous()
      .to(weights_.front().value.device());
}

FakeContext::FakeContext(const sdk::BackboneView& backbone, std::uint64_t seed, std::int64_t place)
    : backbone_(backbone),
      generator_(make_generator(seed)),
      place_(place),
      tasks_({{"art", {"cup", "bed", "alarm clock"}}, {"real", {"cup", "fan"}}}) {}

sdk::LabelledFeatures FakeContext::training_features(std::int64_t task) const {
  const auto classes =
      static_cast<std::int64_t>(tasks_.at(static_cast<std::size_t>(task)).classes.size());
  at::Generator noise = make_generator(static_cast<std::uint64_t>(task) + 100);
  const at::Tensor features = at::normal(0.0, 1.0, {2 * classes, backbone_.shape().embed_dim},
                                         noise, at::TensorOptions(at::kFloat));
  const at::Tensor unit = features / features.norm(2, -1, true);
  return {unit.to(backbone_.weights().front().value.device()),
          at::arange(2 * classes, at::TensorOptions(at::kLong)).remainder(classes)};
}

at::Generator make_generator(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

}  // namespace petlab::tests
