#include "weights.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

constexpr std::array<const char*, 3> kQkv{"q_proj", "k_proj", "v_proj"};

std::string layer_prefix(const char* tower, std::int64_t layer) {
  return std::string(tower) + ".encoder.layers." + std::to_string(layer) + ".";
}

void add_linear(std::vector<WeightSpec>& specs, const std::string& name, std::int64_t out,
                std::int64_t in) {
  specs.push_back({name + ".weight", {out, in}});
  specs.push_back({name + ".bias", {out}});
}

void add_norm(std::vector<WeightSpec>& specs, const std::string& name, std::int64_t width) {
  specs.push_back({name + ".weight", {width}});
  specs.push_back({name + ".bias", {width}});
}

void add_blocks(std::vector<WeightSpec>& specs, const char* tower, const sdk::TowerShape& shape) {
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const std::string prefix = layer_prefix(tower, layer);
    add_norm(specs, prefix + "layer_norm1", shape.width);
    add_norm(specs, prefix + "layer_norm2", shape.width);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"})
      add_linear(specs, prefix + "self_attn." + name, shape.width, shape.width);
    add_linear(specs, prefix + "mlp.fc1", shape.mlp_width, shape.width);
    add_linear(specs, prefix + "mlp.fc2", shape.width, shape.mlp_width);
  }
}

}  // namespace

std::string shape_text(at::IntArrayRef shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i)
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

std::vector<WeightSpec> expected_weights(const Config& config) {
  const sdk::BackboneShape& shape = config.shape;
  const std::int64_t grid = shape.image_size / shape.patch_size;
  const std::int64_t patch = shape.patch_size;
  const std::int64_t width = shape.vision.width;
  const bool is_siglip = config.family == Family::siglip;
  std::vector<WeightSpec> specs{
      {"logit_scale", {}},
      {"text_model.embeddings.token_embedding.weight", {config.vocab_size, shape.text.width}},
      {"text_model.embeddings.position_embedding.weight", {shape.context_length, shape.text.width}},
      {"vision_model.embeddings.patch_embedding.weight", {width, 3, patch, patch}},
      {"vision_model.embeddings.position_embedding.weight",
       {grid * grid + (is_siglip ? 0 : 1), width}},
  };
  if (is_siglip) {
    specs.push_back({"vision_model.embeddings.patch_embedding.bias", {width}});
    add_linear(specs, "text_model.head", shape.embed_dim, shape.text.width);
    specs.push_back({"vision_model.head.probe", {1, 1, width}});
    specs.push_back({"vision_model.head.attention.in_proj_weight", {3 * width, width}});
    specs.push_back({"vision_model.head.attention.in_proj_bias", {3 * width}});
    add_linear(specs, "vision_model.head.attention.out_proj", width, width);
    add_norm(specs, "vision_model.head.layernorm", width);
    add_linear(specs, "vision_model.head.mlp.fc1", shape.vision.mlp_width, width);
    add_linear(specs, "vision_model.head.mlp.fc2", width, shape.vision.mlp_width);
  } else {
    specs.push_back({"vision_model.embeddings.class_embedding", {width}});
    add_norm(specs, "vision_model.pre_layrnorm", width);  // the format's own spelling
    specs.push_back({"text_projection.weight", {shape.embed_dim, shape.text.width}});
    if (config.has_text_projection_bias)
      specs.push_back({"text_projection.bias", {shape.embed_dim}});
    specs.push_back({"visual_projection.weight", {shape.embed_dim, width}});
  }
  add_norm(specs, "text_model.final_layer_norm", shape.text.width);
  add_norm(specs, "vision_model.post_layernorm", shape.vision.width);
  add_blocks(specs, "text_model", shape.text);
  add_blocks(specs, "vision_model", shape.vision);
  std::sort(specs.begin(), specs.end(),
            [](const WeightSpec& a, const WeightSpec& b) { return a.name < b.name; });
  return specs;
}

Weights::Weights(const Config& config, c10::Device device)
    : family_(config.family),
      has_text_projection_bias_(config.has_text_projection_bias),
      vision_layers_(config.shape.vision.layers),
      text_layers_(config.shape.text.layers) {
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  std::unordered_map<std::string, at::Tensor> views;
  const auto fuse = [&](const char* tower, const sdk::TowerShape& shape) {
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
      const std::string prefix = layer_prefix(tower, layer);
      const Fused fused{at::zeros({3 * shape.width, shape.width}, options),
                        at::zeros({3 * shape.width}, options)};
      for (std::size_t i = 0; i < kQkv.size(); ++i) {
        const auto start = static_cast<std::int64_t>(i) * shape.width;
        const std::string name = prefix + "self_attn." + kQkv[i];
        views[name + ".weight"] = fused.weight.narrow(0, start, shape.width);
        views[name + ".bias"] = fused.bias.narrow(0, start, shape.width);
      }
      fused_[prefix] = fused;
    }
  };
  fuse("vision_model", config.shape.vision);
  fuse("text_model", config.shape.text);
  for (const WeightSpec& spec : expected_weights(config)) {
    const auto view = views.find(spec.name);
    index_[spec.name] = all_.size();
    all_.push_back(
        {spec.name, view != views.end() ? view->second : at::zeros(spec.shape, options)});
  }
  vision_ = vision(WeightOverrides{});
  text_ = text(WeightOverrides{});
}

const at::Tensor* Weights::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &all_[found->second].value;
}

const at::Tensor& Weights::get(const std::string& name) const {
  const at::Tensor* found = find(name);
  if (found == nullptr)
    throw Error(ErrorKind::internal, "the backbone has no weight '" + name + "'");
  return *found;
}

void Weights::check(const WeightOverrides& overrides) const {
  for (const auto& [name, value] : overrides) {
    const at::Tensor* own = find(name);
    if (own == nullptr)
      throw Error(ErrorKind::config, "the backbone has no weight '" + name + "' to replace");
    if (!value.defined() || value.sizes() != own->sizes())
      throw Error(ErrorKind::config,
                  "the replacement of weight '" + name + "' has shape " +
                      (value.defined() ? shape_text(value.sizes()) : std::string("undefined")) +
                      ", expected " + shape_text(own->sizes()));
  }
}

const at::Tensor& Weights::pick(const std::string& name, const WeightOverrides& overrides) const {
  if (!overrides.empty())
    if (const auto found = overrides.find(name); found != overrides.end()) return found->second;
  return get(name);
}

at::Tensor Weights::fused(const std::string& prefix, const char* part, const at::Tensor& own,
                          const WeightOverrides& overrides) const {
  std::array<std::string, 3> names;
  bool replaced = false;
  for (std::size_t i = 0; i < kQkv.size(); ++i) {
    names[i] = prefix + "self_attn." + kQkv[i] + part;
    replaced = replaced || overrides.contains(names[i]);
  }
  if (!replaced) return own;
  return at::cat({pick(names[0], overrides), pick(names[1], overrides), pick(names[2], overrides)});
}

BlockWeights Weights::block(const std::string& prefix, const WeightOverrides& overrides) const {
  const auto get_one = [&](const char* name) { return pick(prefix + name, overrides); };
  const Fused& qkv = fused_.at(prefix);
  return {.norm1_weight = get_one("layer_norm1.weight"),
          .norm1_bias = get_one("layer_norm1.bias"),
          .qkv_weight = fused(prefix, ".weight", qkv.weight, overrides),
          .qkv_bias = fused(prefix, ".bias", qkv.bias, overrides),
          .out_weight = get_one("self_attn.out_proj.weight"),
          .out_bias = get_one("self_attn.out_proj.bias"),
          .norm2_weight = get_one("layer_norm2.weight"),
          .norm2_bias = get_one("layer_norm2.bias"),
          .fc1_weight = get_one("mlp.fc1.weight"),
          .fc1_bias = get_one("mlp.fc1.bias"),
          .fc2_weight = get_one("mlp.fc2.weight"),
          .fc2_bias = get_one("mlp.fc2.bias")};
}

VisionWeights Weights::vision(const WeightOverrides& overrides) const {
  const auto get_one = [&](const char* name) { return pick(name, overrides); };
  VisionWeights result;
  result.patch_embedding = get_one("vision_model.embeddings.patch_embedding.weight");
  result.position_embedding = get_one("vision_model.embeddings.position_embedding.weight");
  result.post_norm_weight = get_one("vision_model.post_layernorm.weight");
  result.post_norm_bias = get_one("vision_model.post_layernorm.bias");
  if (family_ == Family::siglip) {
    result.patch_bias = get_one("vision_model.embeddings.patch_embedding.bias");
    result.head = {.probe = get_one("vision_model.head.probe"),
                   .qkv_weight = get_one("vision_model.head.attention.in_proj_weight"),
                   .qkv_bias = get_one("vision_model.head.attention.in_proj_bias"),
                   .out_weight = get_one("vision_model.head.attention.out_proj.weight"),
                   .out_bias = get_one("vision_model.head.attention.out_proj.bias"),
                   .norm_weight = get_one("vision_model.head.layernorm.weight"),
                   .norm_bias = get_one("vision_model.head.layernorm.bias"),
                   .fc1_weight = get_one("vision_model.head.mlp.fc1.weight"),
                   .fc1_bias = get_one("vision_model.head.mlp.fc1.bias"),
                   .fc2_weight = get_one("vision_model.head.mlp.fc2.weight"),
                   .fc2_bias = get_one("vision_model.head.mlp.fc2.bias")};
  } else {
    result.class_embedding = get_one("vision_model.embeddings.class_embedding");
    result.pre_norm_weight = get_one("vision_model.pre_layrnorm.weight");
    result.pre_norm_bias = get_one("vision_model.pre_layrnorm.bias");
    result.projection = get_one("visual_projection.weight");
  }
  for (std::int64_t layer = 0; layer < vision_layers_; ++layer)
    result.blocks.push_back(block(layer_prefix("vision_model", layer), overrides));
  return result;
}

TextWeights Weights::text(const WeightOverrides& overrides) const {
  const auto get_one = [&](const std::string& name) { return pick(name, overrides); };
  const std::string projection = family_ == Family::siglip ? "text_model.head" : "text_projection";
  TextWeights result{
      .token_embedding = get_one("text_model.embeddings.token_embedding.weight"),
      .position_embedding = get_one("text_model.embeddings.position_embedding.weight"),
      .blocks = {},
      .final_norm_weight = get_one("text_model.final_layer_norm.weight"),
      .final_norm_bias = get_one("text_model.final_layer_norm.bias"),
      .projection = get_one(projection + ".weight"),
      .projection_bias = has_text_projection_bias_ ? get_one(projection + ".bias") : at::Tensor()};
  for (std::int64_t layer = 0; layer < text_layers_; ++layer)
    result.blocks.push_back(block(layer_prefix("text_model", layer), overrides));
  return result;
}

}  // namespace petlab::clip
