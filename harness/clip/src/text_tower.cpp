#include "modules.hpp"
#include "petlab/base/error.hpp"
#include "petlab/kernels/layer_norm.hpp"
#include "petlab/kernels/linear.hpp"
#include "prompts.hpp"
#include "shared_text.hpp"
#include "towers.hpp"
#include "transformer.hpp"

#include <ATen/ATen.h>

#include <memory>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

/// The tokens as the tower sees them: up to `length`, with padding behind each end token.
at::Tensor padded_ids(const TokenBatch& tokens, std::int64_t length, std::int64_t pad) {
  const at::Tensor& ids = tokens.ids;
  const at::Tensor place = at::arange(ids.size(1), ids.options());
  const at::Tensor is_text = place <= tokens.eot.to(ids.device()).unsqueeze(1);
  const at::Tensor cut = at::where(is_text, ids, at::full({}, pad, ids.options()));
  return at::constant_pad_nd(cut, {0, length - ids.size(1)}, pad);
}

/// Every text by itself, padded to the longest. -> the pooled tokens [N, W].
at::Tensor run_plain_blocks(const TextWeights& w, const Config& config,
                            const BlockSettings& settings, const PromptPlan& plan,
                            const TokenBatch& tokens, const TowerBatch& prompts) {
  const sdk::TowerShape& shape = config.shape.text;
  const std::int64_t batch = tokens.ids.size(0);
  // Prompts take the place of padding, so that the whole fills the context.
  const at::Tensor ids =
      (config.is_text_padded()
           ? padded_ids(tokens, config.shape.context_length - plan.n_prompt(), config.pad_token_id)
           : tokens.ids)
          .to(w.token_embedding.device());
  const std::int64_t length = ids.size(1) + plan.n_prompt();
  const std::int64_t n_start = config.family == Family::clip ? 1 : 0;
  const ModulePlan modules(prompts, shape, "text");
  at::Tensor x =
      modules.changed(at::embedding(w.token_embedding, ids), sdk::AffinePlace::embeddings);
  // Prompts stand behind the start token, of SigLIP in front of the text; those of an earlier layer
  // are cut out and replaced.
  const auto put = [&](std::int64_t layer) {
    if (!plan.changes(layer)) return;
    const std::int64_t rest = n_start + (plan.inserts(layer) ? 0 : plan.n_prompt());
    x = at::cat({x.narrow(1, 0, n_start), plan.at(layer).to(x.scalar_type()),
                 x.narrow(1, rest, x.size(1) - rest)},
                1);
  };
  put(0);
  if (at::Tensor order = prompts.token_order; order.defined()) {
    const at::Tensor padding = at::arange(order.size(1), length, order.options());
    order = at::cat({order, padding.expand({batch, padding.size(0)})}, 1);
    x = x.gather(1, order.unsqueeze(2).expand({batch, length, x.size(2)}));
  }
  x = x + w.position_embedding.narrow(0, 0, x.size(1));
  at::Tensor pooled = tokens.eot.to(x.device()) + plan.n_prompt();
  if (config.text_pooling == TextPooling::last) pooled = at::full_like(pooled, length - 1);
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const BlockWeights& block = w.blocks[static_cast<std::size_t>(layer)];
    if (layer > 0) put(layer);
    const BlockModules* changed = modules.block(layer);
    x = layer + 1 < shape.layers ? run_block(block, settings, changed, x)
                                 : run_block_pooled(block, settings, changed, x, pooled);
  }
  return x;
}

/// How the texts share rows, or null where every text is to be computed by itself: where that is
/// asked for, where prompts stand behind the class names, where noise is drawn for every row, and
/// where what stands behind the end token counts.
std::shared_ptr<const TextLayout> layout_of(const Config& config, const TokenBatch& tokens,
                                            const TowerBatch& batch, const PromptPlan& plan,
                                            c10::Device device) {
  if (config.is_text_padded()) return nullptr;
  if (batch.text_path == TextPath::plain || batch.token_order.defined() || draws_noise(batch))
    return nullptr;
  TextLayout::Sharing sharing{.n_prompt = plan.n_prompt(),
                              .n_prompt_sets = plan.n_sets(),
                              .are_prompts_embedded = plan.changes(0),
                              .module_set_sizes = {},
                              .set_of_text = {},
                              .device = device};
  if (batch.sets.size() > 1 && has_modules(batch)) sharing.module_set_sizes = batch.set_sizes;
  if (plan.n_sets() > 1) sharing.set_of_text = batch.set_of_sample;
  return tokens.layouts != nullptr ? tokens.layouts->of(tokens, sharing)
                                   : TextLayout::make(tokens, sharing);
}

}  // namespace

std::shared_ptr<TextLayouts> keep_layouts() {
  return std::make_shared<TextLayouts>();
}

at::Tensor run_text(const TextWeights& w, const Config& config, const TokenBatch& tokens,
                    const TowerBatch& prompts) {
  const sdk::BackboneShape& shape = config.shape;
  if (tokens.ids.dim() != 2 || tokens.eot.dim() != 1 || tokens.eot.size(0) != tokens.ids.size(0))
    throw Error(ErrorKind::internal, "the text tower was given tokens of shape " +
                                         shape_text(tokens.ids.sizes()) + " and ends of shape " +
                                         shape_text(tokens.eot.sizes()) +
                                         ", expected [N, L] and [N]");
  const std::int64_t batch = tokens.ids.size(0);
  const PromptPlan plan(prompts, shape.text, batch, "text");
  const std::int64_t length = tokens.ids.size(1) + plan.n_prompt();
  if (length > shape.context_length)
    throw Error(ErrorKind::config, "a text of " + std::to_string(tokens.ids.size(1)) +
                                       " tokens and " + std::to_string(plan.n_prompt()) +
                                       " prompts do not fit the context of " +
                                       std::to_string(shape.context_length) +
                                       " positions; use fewer prompts or shorter texts");
  const BlockSettings settings{.heads = shape.text.heads,
                               .layer_norm_eps = config.text_layer_norm_eps,
                               .activation = config.text_activation,
                               .is_causal = config.is_text_causal};

  const std::shared_ptr<const TextLayout> layout =
      layout_of(config, tokens, prompts, plan, w.token_embedding.device());
  const at::Tensor x = layout != nullptr
                           ? run_shared_blocks(w, shape.text, settings, plan, prompts, *layout)
                           : run_plain_blocks(w, config, settings, plan, tokens, prompts);
  const ModulePlan modules(prompts, shape.text, "text");
  const at::Tensor normed = modules.changed(
      kernels::layer_norm(x, w.final_norm_weight, w.final_norm_bias, settings.layer_norm_eps),
      sdk::AffinePlace::final_norm);
  return kernels::linear(normed, w.projection, w.projection_bias);
}

}  // namespace petlab::clip
