#include "modules.hpp"
#include "petlab/base/error.hpp"
#include "petlab/kernels/attention.hpp"
#include "petlab/kernels/layer_norm.hpp"
#include "petlab/kernels/linear.hpp"
#include "prompts.hpp"
#include "towers.hpp"
#include "transformer.hpp"

#include <ATen/ATen.h>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

/// Patches as rows, [B, 3, S, S] -> [B, (S/p)^2, 3 p p], in the order of the convolution's weight:
/// the patch embedding has stride = kernel, so it is one matrix product.
at::Tensor patches_of(const at::Tensor& pixels, std::int64_t patch) {
  const std::int64_t grid = pixels.size(2) / patch;
  // A side that is no multiple of the patch loses its last rows and columns, as in a convolution.
  const at::Tensor whole = pixels.narrow(2, 0, grid * patch).narrow(3, 0, grid * patch);
  return whole.reshape({pixels.size(0), 3, grid, patch, grid, patch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({pixels.size(0), grid * grid, 3 * patch * patch});
}

BlockSettings settings_of(const Config& config) {
  return {.heads = config.shape.vision.heads,
          .layer_norm_eps = config.vision_layer_norm_eps,
          .activation = config.vision_activation,
          .is_causal = false};
}

std::int64_t n_tokens(const Config& config) {
  const std::int64_t grid = config.shape.image_size / config.shape.patch_size;
  return grid * grid + (config.family == Family::clip ? 1 : 0);
}

/// Class token (not of SigLIP) and patches with their positions: [B, tokens, W].
at::Tensor embed(const VisionWeights& w, const Config& config, const at::Tensor& pixels,
                 const ModulePlan& modules) {
  const std::int64_t side = config.shape.image_size;
  if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != side || pixels.size(3) != side)
    throw Error(ErrorKind::internal, "the image tower was given pixels of shape " +
                                         shape_text(pixels.sizes()) + ", expected [B, 3, " +
                                         std::to_string(side) + ", " + std::to_string(side) + "]");
  const std::int64_t width = config.shape.vision.width;
  const at::Tensor patches =
      modules.changed(kernels::linear(patches_of(pixels, config.shape.patch_size),
                                      w.patch_embedding.reshape({width, -1}), w.patch_bias),
                      sdk::AffinePlace::embeddings);
  if (!w.class_embedding.defined()) return patches + w.position_embedding;
  const at::Tensor class_token =
      w.class_embedding.to(patches.scalar_type()).expand({pixels.size(0), 1, width});
  return at::cat({class_token, patches}, 1) + w.position_embedding;
}

/// Without a first norm its place is that of the embeddings.
at::Tensor pre_norm(const VisionWeights& w, const BlockSettings& settings, const at::Tensor& x) {
  if (!w.pre_norm_weight.defined()) return x;
  return kernels::layer_norm(x, w.pre_norm_weight, w.pre_norm_bias, settings.layer_norm_eps);
}

/// SigLIP's attention pooling of the patches x [B, patches, W] -> [B, W].
at::Tensor run_head(const PoolingHead& w, const BlockSettings& settings, const at::Tensor& x) {
  const std::int64_t width = x.size(2);
  const at::Tensor q =
      kernels::linear(w.probe.to(x.scalar_type()), w.qkv_weight.narrow(0, 0, width),
                      w.qkv_bias.narrow(0, 0, width))
          .expand({x.size(0), 1, width})
          .contiguous();
  const at::Tensor kv = kernels::linear(x, w.qkv_weight.narrow(0, width, 2 * width),
                                        w.qkv_bias.narrow(0, width, 2 * width));
  const at::Tensor pooled = kernels::linear(
      kernels::attention(q, kv, settings.heads, /*positions=*/{}), w.out_weight, w.out_bias);
  const at::Tensor normed =
      kernels::layer_norm(pooled, w.norm_weight, w.norm_bias, settings.layer_norm_eps);
  const at::Tensor hidden =
      activate(kernels::linear(normed, w.fc1_weight, w.fc1_bias), settings.activation);
  return (pooled + kernels::linear(hidden, w.fc2_weight, w.fc2_bias)).squeeze(1);
}

/// The blocks from `first` on and what follows them; x is what enters the first: [B, tokens, W], at
/// layer 0 before the first norm.
at::Tensor run_from(const VisionWeights& w, const Config& config, at::Tensor x, std::int64_t first,
                    const PromptPlan& plan, const ModulePlan& modules) {
  const BlockSettings settings = settings_of(config);
  const std::int64_t length = x.size(1);
  const std::int64_t layers = config.shape.vision.layers;
  for (std::int64_t layer = first; layer < layers; ++layer) {
    const BlockWeights& block = w.blocks[static_cast<std::size_t>(layer)];
    const BlockModules* changed = modules.block(layer);
    const bool is_changed = changed != nullptr || (layer == 0 && modules.changes_tower());
    PassingPrompts passing;
    if (plan.changes(layer)) {
      if (x.size(1) > length) x = x.narrow(1, 0, length);
      // Prompts that flow on stand last: without a mask their place does not matter.
      if (is_changed || !plan.passes(layer, layers))
        x = at::cat({x, plan.at(layer).to(x.scalar_type())}, 1);
      else
        passing = {plan.sets_at(layer).to(x.scalar_type()), plan.set_of_sample()};
    }
    if (layer == 0) {
      x = modules.changed(pre_norm(w, settings, x), sdk::AffinePlace::pre_norm);
      if (passing.tokens.defined()) passing.tokens = pre_norm(w, settings, passing.tokens);
    }
    x = layer + 1 < layers || config.family == Family::siglip
            ? run_block(block, settings, changed, x, passing)
            : run_block_pooled(block, settings, changed, x, /*positions=*/{}, passing);
  }
  // SigLIP's head pools what has become of the patches; prompts have done their work in the blocks.
  if (config.family == Family::siglip && x.size(1) > length) x = x.narrow(1, 0, length);
  x = modules.changed(
      kernels::layer_norm(x, w.post_norm_weight, w.post_norm_bias, settings.layer_norm_eps),
      sdk::AffinePlace::final_norm);
  return config.family == Family::siglip ? run_head(w.head, settings, x)
                                         : kernels::linear(x, w.projection, {});
}

}  // namespace

at::Tensor run_vision(const VisionWeights& w, const Config& config, const at::Tensor& pixels,
                      const TowerBatch& prompts) {
  const sdk::TowerShape& tower = config.shape.vision;
  const ModulePlan modules(prompts, tower, "image");
  const at::Tensor x = embed(w, config, pixels, modules);
  const PromptPlan plan(prompts, tower, x.size(0), "image");
  return run_from(w, config, x, 0, plan, modules);
}

at::Tensor run_lower_vision(const VisionWeights& w, const Config& config, const at::Tensor& pixels,
                            std::int64_t layers) {
  const BlockSettings settings = settings_of(config);
  const ModulePlan unchanged(TowerBatch{}, config.shape.vision, "image");
  at::Tensor x = pre_norm(w, settings, embed(w, config, pixels, unchanged));
  for (std::int64_t layer = 0; layer < layers; ++layer)
    x = run_block(w.blocks[static_cast<std::size_t>(layer)], settings, nullptr, x);
  return x;
}

at::Tensor run_upper_vision(const VisionWeights& w, const Config& config, const at::Tensor& stream,
                            std::int64_t layers, const TowerBatch& prompts) {
  const sdk::TowerShape& tower = config.shape.vision;
  const std::int64_t tokens = n_tokens(config);
  if (stream.dim() != 3 || stream.size(1) != tokens || stream.size(2) != tower.width)
    throw Error(ErrorKind::internal, "the image tower was given a stream of shape " +
                                         shape_text(stream.sizes()) + ", expected [B, " +
                                         std::to_string(tokens) + ", " +
                                         std::to_string(tower.width) + "]");
  const ModulePlan modules(prompts, tower, "image");
  const PromptPlan plan(prompts, tower, stream.size(0), "image");
  bool is_changed_below = modules.changes_below(layers);
  for (std::int64_t layer = 0; layer < layers; ++layer)
    is_changed_below = is_changed_below || plan.changes(layer);
  if (is_changed_below)
    throw Error(ErrorKind::internal, "the image tower was given what its first " +
                                         std::to_string(layers) +
                                         " layers make of an image, but one of them is changed");
  return run_from(w, config, stream, layers, plan, modules);
}

}  // namespace petlab::clip
