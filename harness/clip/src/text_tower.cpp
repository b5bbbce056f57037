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
                               .is_causal = true};

  const ModulePlan modules(prompts, shape.text, "text");
  at::Tensor x =
      modules.changed(at::embedding(w.token_embedding, tokens.ids.to(w.token_embedding.device())),
                      sdk::AffinePlace::embeddings);
  // Prompts stand behind the start token; those of an earlier layer are cut out and replaced.
  const auto put = [&](std::int64_t layer) {
    if (!plan.changes(layer)) return;
    const std::int64_t rest = plan.inserts(layer) ? 1 : 1 + plan.n_prompt();
    x = at::cat({x.narrow(1, 0, 1), plan.at(layer).to(x.scalar_type()),
                 x.narrow(1, rest, x.size(1) - rest)},
                1);
  };
  put(0);
  if (prompts.token_order.defined())
    x = x.gather(1, prompts.token_order.unsqueeze(2).expand({batch, length, x.size(2)}));
  x = x + w.position_embedding.narrow(0, 0, x.size(1));
  const at::Tensor eot = tokens.eot.to(x.device()) + plan.n_prompt();
  for (std::int64_t layer = 0; layer < shape.text.layers; ++layer) {
    const BlockWeights& block = w.blocks[static_cast<std::size_t>(layer)];
    if (layer > 0) put(layer);
    const BlockModules* changed = modules.block(layer);
    x = layer + 1 < shape.text.layers ? run_block(block, settings, changed, x)
                                      : run_block_pooled(block, settings, changed, x, eot);
  }
  x = modules.changed(
      layer_norm(x, w.final_norm_weight, w.final_norm_bias, settings.layer_norm_eps),
      sdk::AffinePlace::final_norm);
  return kernels::linear(x, w.projection, {});
}

}  // namespace petlab::clip
