#include "shared_text.hpp"

#include "modules.hpp"
#include "petlab/kernels/layer_norm.hpp"
#include "petlab/kernels/linear.hpp"
#include "petlab/kernels/shared_attention.hpp"

#include <ATen/ATen.h>

#include <optional>

namespace petlab::clip {
namespace {

using Queries = TextLayout::Queries;

/// The modules of a batch for matrices whose sets have different numbers of rows.
class RowModules {
 public:
  RowModules(const TowerBatch& batch, const sdk::TowerShape& shape, const TextLayout& layout)
      : without_(batch, layout.rows(false).set_sizes, shape, "text") {
    if (layout.rows(false).set_sizes.size() <= 1) return;  // nothing is cut
    with_.emplace(batch, layout.rows(true).set_sizes, shape, "text");
    ends_.emplace(batch, batch.set_sizes, shape, "text");
  }
  [[nodiscard]] const ModulePlan& rows(bool with_prompts) const {
    return with_prompts && with_ ? *with_ : without_;
  }
  [[nodiscard]] const ModulePlan& ends() const { return ends_ ? *ends_ : without_; }

 private:
  ModulePlan without_;
  std::optional<ModulePlan> with_, ends_;
};

/// Queries, keys and values of rows [R, W] -> [R, 3 W].
at::Tensor project(const BlockWeights& w, const BlockSettings& settings,
                   const BlockModules* modules, const at::Tensor& x) {
  using enum sdk::LinearMap;
  at::Tensor in = kernels::layer_norm(x, w.norm1_weight, w.norm1_bias, settings.layer_norm_eps);
  if (modules != nullptr) in = modules->changed(in, sdk::AffinePlace::norm1);
  const at::Tensor flat = kernels::linear(in, w.qkv_weight, w.qkv_bias);
  return modules != nullptr ? modules->changed_qkv(flat, in, {q, k, v}) : flat;
}

/// The last block, of which only the end tokens' rows are needed.
at::Tensor run_last(const BlockWeights& w, const BlockSettings& settings,
                    const BlockModules* modules, const BlockModules* of_ends, const at::Tensor& x,
                    const at::Tensor& ends, const kernels::SharedSequences& sequences) {
  using enum sdk::LinearMap;
  const std::int64_t width = x.size(1);
  at::Tensor in = kernels::layer_norm(x, w.norm1_weight, w.norm1_bias, settings.layer_norm_eps);
  if (modules != nullptr) in = modules->changed(in, sdk::AffinePlace::norm1);
  at::Tensor kv = kernels::linear(in, w.qkv_weight.narrow(0, width, 2 * width),
                                  w.qkv_bias.narrow(0, width, 2 * width));
  if (modules != nullptr) kv = modules->changed_qkv(kv, in, {k, v});
  const at::Tensor pooled = in.index_select(0, ends);
  at::Tensor query =
      kernels::linear(pooled, w.qkv_weight.narrow(0, 0, width), w.qkv_bias.narrow(0, 0, width));
  if (of_ends != nullptr) query = of_ends->changed_qkv(query, pooled, {q});
  return finish_block(w, settings, of_ends, x.index_select(0, ends),
                      kernels::shared_attention(query, kv, settings.heads, sequences));
}

}  // namespace

bool has_modules(const TowerBatch& batch) {
  bool any = false;
  for (const auto& set : batch.sets)
    for (const sdk::TowerChanges* changes : set)
      sdk::visit_modules(*changes, [&](const auto& /*module*/) { any = true; });
  return any;
}

bool draws_noise(const TowerBatch& batch) {
  bool any = false;
  for (const auto& set : batch.sets)
    for (const sdk::TowerChanges* changes : set)
      sdk::visit_modules(*changes, [&](const auto& module) {
        if constexpr (requires { module.noise; })
          any = any || (module.dropout > 0 && module.noise != nullptr);
      });
  return any;
}

at::Tensor run_shared_blocks(const TextWeights& w, const sdk::TowerShape& shape,
                             const BlockSettings& settings, const PromptPlan& plan,
                             const TowerBatch& batch, const TextLayout& layout) {
  const RowModules modules(batch, shape, layout);
  at::Tensor x = modules.rows(false).changed(at::embedding(w.token_embedding, layout.ids()),
                                             sdk::AffinePlace::embeddings) +
                 w.position_embedding.index_select(0, layout.positions());
  bool with_prompts = false;  // rows of x
  for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
    const BlockWeights& block = w.blocks[static_cast<std::size_t>(layer)];
    at::Tensor own = x;     // without prompts, where they are at hand
    at::Tensor inserted{};  // the layer's own prompts
    if (plan.changes(layer)) {
      if (with_prompts) own = layout.drop(x);
      inserted = plan.sets_at(layer).to(x.scalar_type());
      if (layer == 0) inserted = inserted + w.position_embedding.narrow(0, 1, plan.n_prompt());
      with_prompts = true;
      x = layout.insert(own, inserted);
    }
    const BlockModules* changed = modules.rows(with_prompts).block(layer);
    if (layer + 1 == shape.layers)
      return run_last(block, settings, changed, modules.ends().block(layer), x,
                      layout.rows(with_prompts).ends,
                      layout.sequences(with_prompts, Queries::ends));
    // No gradient is needed of what stands before the first prompts: only theirs are walked back.
    const bool apart = inserted.defined() && changed == nullptr && layout.are_prompts_last() &&
                       !own.requires_grad() && inserted.requires_grad();
    const at::Tensor flat =
        apart ? at::cat({project(block, settings, nullptr, own),
                         project(block, settings, nullptr, layout.prompt_rows(inserted))})
              : project(block, settings, changed, x);
    // Prompts that the next layer replaces need no stream of their own: keys and values suffice.
    const bool replaced = with_prompts && plan.changes(layer + 1);
    if (replaced) {
      x = inserted.defined() ? own : layout.drop(x);
      with_prompts = false;
    }
    const at::Tensor attended = kernels::shared_attention(
        flat, settings.heads,
        layout.sequences(replaced || with_prompts,
                         replaced ? Queries::without_prompts : Queries::all));
    x = finish_block(block, settings, modules.rows(with_prompts).block(layer), x, attended);
  }
  return x;  // a tower without blocks is refused where the configuration is read
}

}  // namespace petlab::clip
