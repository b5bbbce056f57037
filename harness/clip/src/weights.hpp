#pragma once

#include "petlab/clip/backbone.hpp"
#include "petlab/clip/config.hpp"

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace petlab::clip {

/// Name and shape of one weight of a model.
struct WeightSpec {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// "[64, 48]", for messages.
[[nodiscard]] std::string shape_text(at::IntArrayRef shape);

/// Every weight that a model of this configuration has, sorted by name.
[[nodiscard]] std::vector<WeightSpec> expected_weights(const Config& config);

/// Weights of one pre-LN transformer block. Queries, keys and values are one matrix:
/// qkv_weight [3 W, W], qkv_bias [3 W].
struct BlockWeights {
  at::Tensor norm1_weight, norm1_bias;
  at::Tensor qkv_weight, qkv_bias;
  at::Tensor out_weight, out_bias;
  at::Tensor norm2_weight, norm2_bias;
  at::Tensor fc1_weight, fc1_bias;
  at::Tensor fc2_weight, fc2_bias;
};

/// SigLIP's head: one query attends to all patches, then an MLP.
struct PoolingHead {
  at::Tensor probe;
  at::Tensor qkv_weight, qkv_bias;
  at::Tensor out_weight, out_bias;
  at::Tensor norm_weight, norm_bias;
  at::Tensor fc1_weight, fc1_bias;
  at::Tensor fc2_weight, fc2_bias;
};

struct VisionWeights {
  at::Tensor class_embedding;                                  ///< undefined for SigLIP
  at::Tensor patch_embedding, patch_bias, position_embedding;  ///< the bias is SigLIP's
  at::Tensor pre_norm_weight, pre_norm_bias;                   ///< undefined for SigLIP
  std::vector<BlockWeights> blocks;
  at::Tensor post_norm_weight, post_norm_bias;
  at::Tensor projection;  ///< undefined for SigLIP, which has a head
  PoolingHead head;
};

struct TextWeights {
  at::Tensor token_embedding, position_embedding;
  std::vector<BlockWeights> blocks;
  at::Tensor final_norm_weight, final_norm_bias;
  at::Tensor projection, projection_bias;  ///< the bias may be undefined
};

/// The weights of a model: fp32, without gradient, by name and as the towers use them.
///
/// The query, key and value matrices of a block lie in one piece of memory, of which the named
/// tensors are views: the towers multiply once, the names stay those of the file format, and
/// nothing is stored twice.
class Weights {
 public:
  /// Zeros on `device`.
  Weights(const Config& config, c10::Device device);

  /// Sorted by name.
  [[nodiscard]] const std::vector<sdk::NamedTensor>& all() const { return all_; }
  [[nodiscard]] const at::Tensor* find(const std::string& name) const;
  [[nodiscard]] const at::Tensor& get(const std::string& name) const;

  [[nodiscard]] const VisionWeights& vision() const { return vision_; }
  [[nodiscard]] const TextWeights& text() const { return text_; }

  /// The same with some weights replaced; differentiable with respect to them.
  [[nodiscard]] VisionWeights vision(const WeightOverrides& overrides) const;
  [[nodiscard]] TextWeights text(const WeightOverrides& overrides) const;

  /// Throws Error(config) for a name that the model does not have and for a wrong shape.
  void check(const WeightOverrides& overrides) const;

 private:
  /// Query, key and value of one block in one tensor.
  struct Fused {
    at::Tensor weight;
    at::Tensor bias;
  };

  [[nodiscard]] BlockWeights block(const std::string& prefix,
                                   const WeightOverrides& overrides) const;
  [[nodiscard]] at::Tensor fused(const std::string& prefix, const char* part, const at::Tensor& own,
                                 const WeightOverrides& overrides) const;
  [[nodiscard]] const at::Tensor& pick(const std::string& name,
                                       const WeightOverrides& overrides) const;

  std::vector<sdk::NamedTensor> all_;
  std::unordered_map<std::string, std::size_t> index_;
  std::unordered_map<std::string, Fused> fused_;
  Family family_;
  bool has_text_projection_bias_;
  std::int64_t vision_layers_;
  std::int64_t text_layers_;
  VisionWeights vision_;
  TextWeights text_;
};

}  // namespace petlab::clip
