#include "modules.hpp"
#include "petlab/kernels/linear.hpp"
#include "petlab/sdk/error.hpp"
#include "prompts.hpp"
#include "towers.hpp"
#include "transformer.hpp"

#include <ATen/ATen.h>

namespace petlab::clip {

using sdk::Error;
using sdk::ErrorKind;

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

}  // namespace

at::Tensor run_vision(const VisionWeights& w, const Config& config, const at::Tensor& pixels,
                      const TowerBatch& prompts) {
  const sdk::BackboneShape& shape = config.shape;
  const std::int64_t side = shape.image_size;
  if (pixels.dim() != 4 || pixels.size(1) != 3 || pixels.size(2) != side || pixels.size(3) != side)
    throw Error(ErrorKind::internal, "the image tower was given pixels of shape " +
                                         shape_text(pixels.sizes()) + ", expected [B, 3, " +
                                         std::to_string(side) + ", " + std::to_string(side) + "]");
  const std::int64_t batch = pixels.size(0);
  const std::int64_t width = shape.vision.width;
  const PromptPlan plan(prompts, shape.vision, batch, "image");
  const BlockSettings settings{.heads = shape.vision.heads,
                               .layer_norm_eps = config.vision_layer_norm_eps,
                               .activation = config.vision_activation,
                               .is_causal = false};

  const ModulePlan modules(prompts, shape.vision, "image");
  const at::Tensor patches =
      modules.changed(kernels::linear(patches_of(pixels, shape.patch_size),
                                      w.patch_embedding.reshape({width, -1}), {}),
                      sdk::AffinePlace::embeddings);
  at::Tensor x =
      at::cat({w.class_embedding.to(patches.scalar_type()).expand({batch, 1, width}), patches}, 1) +
      w.position_embedding;
  const auto pre_norm = [&](const at::Tensor& z) {
    return layer_norm(z, w.pre_norm_weight, w.pre_norm_bias, settings.layer_norm_eps);
  };
  const std::int64_t length = x.size(1);
  const std::int64_t layers = shape.vision.layers;
  for (std::int64_t layer = 0; layer < layers; ++layer) {
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
      x = modules.changed(pre_norm(x), sdk::AffinePlace::pre_norm);
      if (passing.tokens.defined()) passing.tokens = pre_norm(passing.tokens);
    }
    x = layer + 1 < layers
            ? run_block(block, settings, changed, x, passing)
            : run_block_pooled(block, settings, changed, x, /*positions=*/{}, passing);
  }
  x = modules.changed(layer_norm(x, w.post_norm_weight, w.post_norm_bias, settings.layer_norm_eps),
                      sdk::AffinePlace::final_norm);
  return kernels::linear(x, w.projection, {});
}

}  // namespace petlab::clip
