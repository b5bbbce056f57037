#pragma once

#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Generator.h>

#include <cstdint>
#include <optional>
#include <vector>

// What an adapter changes in the backbone, as data: the host composes the changes of two adapters,
// batches the tasks of a step together and counts what they cost. An undefined tensor stands for
// "not there" wherever "or undefined" is said. All tensors are fp32 on the backbone's device.
namespace petlab::sdk {

/// Prompt tokens of one layer: [n_prompt, width of the tower], the same n_prompt at every layer.
/// At layer 0 of the text tower also class-specific, [n_classes, n_prompt, width], in the order of
/// the task's classes; then at no other layer.
struct PromptTokens {
  std::int64_t layer = 0;
  at::Tensor tokens;
};

/// Where the text prompts of layer 0 stand: before the class name, half of them (rounded down)
/// before and the others behind it, or all behind it. Only `end` goes with prompts at later layers,
/// and only with a text template that starts with the class name do the others.
enum class ClassPosition : std::uint32_t { end, middle, front };

/// Prompts that follow the image (CoCoOp): every text prompt of layer 0 is shifted by
/// up relu(down f + down_bias) + up_bias, f the unit image feature. Each image gets class features
/// of its own.
struct PromptCondition {
  at::Tensor down;       ///< [n_hidden, embed_dim]
  at::Tensor down_bias;  ///< [n_hidden]
  at::Tensor up;         ///< [text width, n_hidden]
  at::Tensor up_bias;    ///< [text width]
};

enum class Nonlinearity : std::uint32_t { none, relu, gelu, quick_gelu };

/// Where a bottleneck module works in a block: x1 = x + attention(norm1(x)),
/// x2 = x1 + mlp(norm2(x1)). `after`: on the branch's output y, which becomes y + A(y), before it
/// is added to the stream. `parallel`: on the stream that enters the branch (x or x1, not normed);
/// its output is added to the stream beside the branch's.
enum class BottleneckSite : std::uint32_t {
  after_attention,
  after_mlp,
  parallel_attention,
  parallel_mlp
};

/// A(h) = scale * out_norm(up act(down norm(h) + down_bias) + up_bias). Outputs of several modules
/// at one site add up, each works on the same input.
struct Bottleneck {
  std::int64_t layer = 0;
  BottleneckSite site = BottleneckSite::after_mlp;
  at::Tensor down;       ///< [n_hidden, width]
  at::Tensor down_bias;  ///< [n_hidden] or undefined
  at::Tensor up;         ///< [width, n_hidden]
  at::Tensor up_bias;    ///< [width] or undefined
  Nonlinearity nonlinearity = Nonlinearity::relu;
  at::Tensor scale;        ///< scalar, or undefined for 1
  at::Tensor norm_weight;  ///< [width], a layer norm of its own before `down`, or undefined
  at::Tensor norm_bias;    ///< [width], with norm_weight
  at::Tensor out_norm_weight = {};  ///< [width], a layer norm behind `up`, or undefined
  at::Tensor out_norm_bias = {};    ///< [width], with out_norm_weight
};

/// The linear maps of a block: queries, keys, values, output of the attention, both of the MLP.
enum class LinearMap : std::uint32_t { q, k, v, out, fc1, fc2 };

/// y = W x + b becomes W x + b + scale * up (down x). Several at one map add up.
struct LowRank {
  std::int64_t layer = 0;
  LinearMap map = LinearMap::q;
  at::Tensor down;  ///< [rank, in]
  at::Tensor up;    ///< [out, rank]
  double scale = 1.0;
  /// In training, before `down`: each value of x is dropped with this probability and the others
  /// grow by 1 / (1 - dropout), drawn from `noise`. Both are unset in evaluation.
  double dropout = 0.0;
  at::Generator* noise = nullptr;
};

/// A place whose values an affine change scales and shifts. `hidden` is behind the MLP's
/// activation, `attention` and `mlp` are the outputs of the branches; the last three belong to the
/// tower, not to a layer: patch or token embeddings before positions are added (without the class
/// token), the image tower's first norm, and the norm before the projection.
enum class AffinePlace : std::uint32_t {
  norm1,
  q,
  k,
  v,
  attention,
  norm2,
  fc1,
  hidden,
  mlp,
  embeddings,
  pre_norm,
  final_norm
};

/// z becomes scale * z + shift, elementwise. Several at one place work one after the other.
struct Affine {
  std::int64_t layer = 0;  ///< 0 for the places of the tower
  AffinePlace place = AffinePlace::hidden;
  at::Tensor scale;  ///< [width of the place] or undefined
  at::Tensor shift;  ///< [width of the place] or undefined
};

/// A change of the tower's output behind the projection, not normalised yet:
/// f becomes f + sum_i ratio_i (A_i(f) - f), A(f) = act(up act(down f + down_bias) + up_bias), the
/// outer activation only where `activate_output` says so.
struct FeatureAdapter {
  at::Tensor down;       ///< [n_hidden, embed_dim]
  at::Tensor down_bias;  ///< [n_hidden] or undefined
  at::Tensor up;         ///< [embed_dim, n_hidden]
  at::Tensor up_bias;    ///< [embed_dim] or undefined
  Nonlinearity nonlinearity = Nonlinearity::relu;
  bool activate_output = true;
  double ratio = 0.2;
};

/// What an adapter changes in one tower.
///
/// Prompts are inserted before the first listed layer; at each later listed layer the outputs of
/// this adapter's own prompts are replaced (deep prompting); at layers that are not listed they
/// flow on. Layers ascend. Text prompts stand directly after the start token (see ClassPosition)
/// and take the position embeddings of their places when inserted at layer 0. Image prompts stand
/// behind the patches, get no position embedding, and at layer 0 enter before the first layer norm.
struct TowerChanges {
  std::vector<PromptTokens> prompts;
  ClassPosition class_position = ClassPosition::end;  ///< text only
  std::optional<PromptCondition> condition;           ///< text only
  std::vector<Bottleneck> bottlenecks;
  std::vector<LowRank> low_ranks;
  std::vector<Affine> affines;
  std::vector<FeatureAdapter> feature_adapters;
};

/// Class scores without the text tower: scale * weight f + bias.
struct ClassHead {
  at::Tensor weight;          ///< [n_classes of the task, embed_dim]
  at::Tensor bias;            ///< [n_classes] or undefined
  double scale = 1.0;         ///< 0 stands for the backbone's own logit scale
  bool unit_features = true;  ///< f is the image feature of unit length, else as projected
};

/// Class scores from remembered examples, added to the others:
/// alpha * exp(-beta (1 - keys f)) values, f the unit image feature (Tip-Adapter, eq. 4-5).
struct CacheHead {
  at::Tensor keys;    ///< [n_examples, embed_dim], rows of unit length
  at::Tensor values;  ///< [n_examples, n_classes], one-hot
  double alpha = 1.0;
  double beta = 5.5;
};

/// What an adapter changes in the backbone. The host composes the changes of two adapters (group
/// first, task second): prompts are concatenated, modules and deltas add up, affine changes follow
/// one another. Changes with weights or a head cannot be composed.
struct BackboneChanges {
  TowerChanges vision;
  TowerChanges text;
  /// Trainable copies that take the place of the frozen weights of the same names.
  std::vector<NamedTensor> weights;
  std::optional<ClassHead> head;
  std::vector<CacheHead> caches;
  /// A scalar added to the training loss of each task of the step that uses the adapter, or
  /// undefined: a divergence from a prior, a balance of experts.
  at::Tensor penalty;
};

}  // namespace petlab::sdk
