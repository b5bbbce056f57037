#pragma once

#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Generator.h>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

// What an adapter changes in the backbone, as data: the host composes the changes of two adapters,
// batches the tasks of a step together and counts what they cost. An undefined tensor stands for
// "not there" wherever "or undefined" is said. All tensors are fp32 on the backbone's device.
//
// Each kind of change is a struct with its name (`kKind`) and, beside it, visit_tensors(), the one
// list of its tensors: checks, tests for finite values, counts and forwards in chunks go by it. A
// kind that works inside the towers also has site_of(). A new kind is told here, in
// visit_modules() or visit_parts() below, and done by the tower.
namespace petlab::sdk {

/// A size of a tensor of a change. `free` is the change's own (a rank, a hidden width, a number of
/// examples): any, and the same one wherever it stands in the tensors of one change.
enum class Axis : std::uint32_t { free, width, mlp_width, embed_dim, classes };

/// What a tensor of a change has to be.
struct TensorSpec {
  const char* name = "";
  bool may_be_undefined = false;
  std::size_t dims = 0;
  std::array<Axis, 2> axes = {};  ///< the first `dims` of them

  template <std::same_as<Axis>... Axes>
  [[nodiscard]] static constexpr TensorSpec required(const char* name, Axes... axes) {
    return {name, false, sizeof...(axes), {axes...}};
  }
  template <std::same_as<Axis>... Axes>
  [[nodiscard]] static constexpr TensorSpec optional(const char* name, Axes... axes) {
    return {name, true, sizeof...(axes), {axes...}};
  }
};

/// Where a change works inside a tower.
struct ModuleSite {
  std::int64_t layer = 0;
  std::uint32_t place = 0;         ///< distinct for the places of one kind in a block
  bool is_outside_blocks = false;  ///< a place of the tower; the layer has no meaning
};

/// `T` or `const T`: what the visitors below take.
template <typename Given, typename T>
concept MaybeConst = std::same_as<std::remove_const_t<Given>, T>;

/// Prompt tokens of one layer: [n_prompt, width of the tower], the same n_prompt at every layer.
/// At layer 0 of the text tower also class-specific, [n_classes, n_prompt, width], in the order of
/// the task's classes; then at no other layer.
struct PromptTokens {
  static constexpr const char* kKind = "a prompt";

  std::int64_t layer = 0;
  at::Tensor tokens;
};

/// visit(tensor, TensorSpec) for each tensor of a change, always in the same order; so with every
/// kind below. (Prompts of the classes of a task have an axis more.)
template <MaybeConst<PromptTokens> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  visit(m.tokens, TensorSpec::required("tokens", Axis::free, Axis::width));
}

/// Where the text prompts of layer 0 stand: before the class name, half of them (rounded down)
/// before and the others behind it, or all behind it. Only `end` goes with prompts at later layers,
/// and only with a text template that starts with the class name do the others.
enum class ClassPosition : std::uint32_t { end, middle, front };

/// How the prompts of two adapters of a task become the prompts of a layer: one behind the other,
/// or their sum, which wants equal numbers of tokens. The same for all adapters of a method.
enum class PromptComposition : std::uint32_t { concatenate, add };

/// Prompts that follow the image (CoCoOp): every text prompt of layer 0 is shifted by
/// up relu(down f + down_bias) + up_bias, f the unit image feature. Each image gets class features
/// of its own.
struct PromptCondition {
  static constexpr const char* kKind = "a condition";

  at::Tensor down;       ///< [n_hidden, embed_dim]
  at::Tensor down_bias;  ///< [n_hidden]
  at::Tensor up;         ///< [text width, n_hidden]
  at::Tensor up_bias;    ///< [text width]
};

template <MaybeConst<PromptCondition> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  visit(m.down, TensorSpec::required("down", Axis::free, Axis::embed_dim));
  visit(m.down_bias, TensorSpec::required("down_bias", Axis::free));
  visit(m.up, TensorSpec::required("up", Axis::width, Axis::free));
  visit(m.up_bias, TensorSpec::required("up_bias", Axis::width));
}

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
  static constexpr const char* kKind = "a bottleneck";

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

template <MaybeConst<Bottleneck> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  visit(m.down, TensorSpec::required("down", Axis::free, Axis::width));
  visit(m.down_bias, TensorSpec::optional("down_bias", Axis::free));
  visit(m.up, TensorSpec::required("up", Axis::width, Axis::free));
  visit(m.up_bias, TensorSpec::optional("up_bias", Axis::width));
  visit(m.scale, TensorSpec::optional("scale"));
  visit(m.norm_weight, TensorSpec::optional("norm_weight", Axis::width));
  visit(m.norm_bias, TensorSpec::optional("norm_bias", Axis::width));
  visit(m.out_norm_weight, TensorSpec::optional("out_norm_weight", Axis::width));
  visit(m.out_norm_bias, TensorSpec::optional("out_norm_bias", Axis::width));
}

inline ModuleSite site_of(const Bottleneck& m) {
  return {m.layer, static_cast<std::uint32_t>(m.site)};
}

/// The linear maps of a block: queries, keys, values, output of the attention, both of the MLP.
enum class LinearMap : std::uint32_t { q, k, v, out, fc1, fc2 };

/// y = W x + b becomes W x + b + scale * up (down x). Several at one map add up.
struct LowRank {
  static constexpr const char* kKind = "a low-rank change";

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

template <MaybeConst<LowRank> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  const Axis in = m.map == LinearMap::fc2 ? Axis::mlp_width : Axis::width;
  const Axis out = m.map == LinearMap::fc1 ? Axis::mlp_width : Axis::width;
  visit(m.down, TensorSpec::required("down", Axis::free, in));
  visit(m.up, TensorSpec::required("up", out, Axis::free));
}

inline ModuleSite site_of(const LowRank& m) {
  return {m.layer, static_cast<std::uint32_t>(m.map)};
}

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
  static constexpr const char* kKind = "an affine change";

  std::int64_t layer = 0;  ///< 0 for the places of the tower
  AffinePlace place = AffinePlace::hidden;
  at::Tensor scale;  ///< [width of the place] or undefined
  at::Tensor shift;  ///< [width of the place] or undefined
};

template <MaybeConst<Affine> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  const bool is_in_mlp = m.place == AffinePlace::fc1 || m.place == AffinePlace::hidden;
  const Axis width = is_in_mlp ? Axis::mlp_width : Axis::width;
  visit(m.scale, TensorSpec::optional("scale", width));
  visit(m.shift, TensorSpec::optional("shift", width));
}

inline ModuleSite site_of(const Affine& m) {
  return {m.layer, static_cast<std::uint32_t>(m.place), m.place >= AffinePlace::embeddings};
}

/// A change of the tower's output behind the projection, not normalised yet:
/// f becomes f + sum_i ratio_i (A_i(f) - f), A(f) = act(up act(down f + down_bias) + up_bias), the
/// outer activation only where `activate_output` says so.
struct FeatureAdapter {
  static constexpr const char* kKind = "a feature adapter";

  at::Tensor down;       ///< [n_hidden, embed_dim]
  at::Tensor down_bias;  ///< [n_hidden] or undefined
  at::Tensor up;         ///< [embed_dim, n_hidden]
  at::Tensor up_bias;    ///< [embed_dim] or undefined
  Nonlinearity nonlinearity = Nonlinearity::relu;
  bool activate_output = true;
  double ratio = 0.2;
};

template <MaybeConst<FeatureAdapter> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  visit(m.down, TensorSpec::required("down", Axis::free, Axis::embed_dim));
  visit(m.down_bias, TensorSpec::optional("down_bias", Axis::free));
  visit(m.up, TensorSpec::required("up", Axis::embed_dim, Axis::free));
  visit(m.up_bias, TensorSpec::optional("up_bias", Axis::embed_dim));
}

/// What an adapter changes in one tower.
///
/// Prompts are inserted before the first listed layer; at each later listed layer the outputs of
/// this adapter's own prompts are replaced (deep prompting); at layers that are not listed they
/// flow on. Layers ascend. Text prompts stand directly after the start token (see ClassPosition)
/// and take the position embeddings of their places when inserted at layer 0. Image prompts stand
/// behind the patches, get no position embedding, and at layer 0 enter before the first layer norm.
struct TowerChanges {
  std::vector<PromptTokens> prompts;
  PromptComposition prompt_composition = PromptComposition::concatenate;
  ClassPosition class_position = ClassPosition::end;  ///< text only
  std::optional<PromptCondition> condition;           ///< text only
  std::vector<Bottleneck> bottlenecks;
  std::vector<LowRank> low_ranks;
  std::vector<Affine> affines;
  std::vector<FeatureAdapter> feature_adapters;
};

/// A change that works inside a tower, in its blocks or beside them.
template <typename T>
concept Module = requires(const T& module) {
  { site_of(module) } -> std::same_as<ModuleSite>;
};

/// visit(module) for each change that works inside the tower: every kind, always in this order.
template <MaybeConst<TowerChanges> Tower, typename Visit>
void visit_modules(Tower& tower, Visit&& visit) {
  for (auto& module : tower.bottlenecks)
    visit(module);
  for (auto& module : tower.low_ranks)
    visit(module);
  for (auto& module : tower.affines)
    visit(module);
}

/// visit(part) for each change of the tower: prompts, condition, modules, feature adapters.
template <MaybeConst<TowerChanges> Tower, typename Visit>
void visit_parts(Tower& tower, Visit&& visit) {
  for (auto& prompts : tower.prompts)
    visit(prompts);
  if (tower.condition) visit(*tower.condition);
  visit_modules(tower, visit);
  for (auto& adapter : tower.feature_adapters)
    visit(adapter);
}

/// Class scores without the text tower: scale * weight f + bias.
struct ClassHead {
  static constexpr const char* kKind = "a class head";

  at::Tensor weight;          ///< [n_classes of the task, embed_dim]
  at::Tensor bias;            ///< [n_classes] or undefined
  double scale = 1.0;         ///< 0 stands for the backbone's own logit scale
  bool unit_features = true;  ///< f is the image feature of unit length, else as projected
};

template <MaybeConst<ClassHead> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  visit(m.weight, TensorSpec::required("weight", Axis::classes, Axis::embed_dim));
  visit(m.bias, TensorSpec::optional("bias", Axis::classes));
}

/// Class scores from remembered examples, added to the others:
/// alpha * exp(-beta (1 - keys f)) values, f the unit image feature (Tip-Adapter, eq. 4-5).
struct CacheHead {
  static constexpr const char* kKind = "a cache";

  at::Tensor keys;    ///< [n_examples, embed_dim], rows of unit length
  at::Tensor values;  ///< [n_examples, n_classes], one-hot
  double alpha = 1.0;
  double beta = 5.5;
};

template <MaybeConst<CacheHead> M, typename Visit>
void visit_tensors(M& m, Visit&& visit) {
  visit(m.keys, TensorSpec::required("keys", Axis::free, Axis::embed_dim));
  visit(m.values, TensorSpec::required("values", Axis::free, Axis::classes));
}

/// What an adapter changes in the backbone. The host composes the changes of two adapters (group
/// first, task second): prompts are concatenated or added (PromptComposition), modules and deltas
/// add up, affine changes follow one another. Changes with weights or a head cannot be composed.
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

/// visit(head) for the class head and each cache.
template <MaybeConst<BackboneChanges> Changes, typename Visit>
void visit_heads(Changes& changes, Visit&& visit) {
  if (changes.head) visit(*changes.head);
  for (auto& cache : changes.caches)
    visit(cache);
}

/// visit(part) for each change of both towers and each head.
template <MaybeConst<BackboneChanges> Changes, typename Visit>
void visit_parts(Changes& changes, Visit&& visit) {
  visit_parts(changes.vision, visit);
  visit_parts(changes.text, visit);
  visit_heads(changes, visit);
}

/// visit(tensor, TensorSpec) for every tensor of the changes: those of all parts, the trainable
/// copies of weights (whose shapes are the weights'; their specs have their names alone), and the
/// penalty.
template <MaybeConst<BackboneChanges> Changes, typename Visit>
void visit_tensors(Changes& changes, Visit&& visit) {
  visit_parts(changes, [&](auto& part) { visit_tensors(part, visit); });
  for (auto& weight : changes.weights)
    visit(weight.value, TensorSpec::required(weight.name.c_str()));
  visit(changes.penalty, TensorSpec::optional("penalty"));
}

}  // namespace petlab::sdk
