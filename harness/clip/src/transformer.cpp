#include "transformer.hpp"

#include "petlab/kernels/activation.hpp"
#include "petlab/kernels/attention.hpp"
#include "petlab/kernels/layer_norm.hpp"
#include "petlab/kernels/linear.hpp"

#include <ATen/ATen.h>

namespace petlab::clip {

at::Tensor activate(const at::Tensor& hidden, Activation activation) {
  switch (activation) {
    case Activation::quick_gelu:
      return kernels::quick_gelu(hidden);
    case Activation::gelu:
      return at::gelu(hidden);
    case Activation::gelu_tanh:
      return at::gelu(hidden, "tanh");
  }
  return {};
}

namespace {

at::Tensor mlp(const BlockWeights& w, const BlockSettings& settings, const at::Tensor& in) {
  const at::Tensor active =
      settings.activation == Activation::quick_gelu
          ? kernels::linear_quick_gelu(in, w.fc1_weight, w.fc1_bias)
          : activate(kernels::linear(in, w.fc1_weight, w.fc1_bias), settings.activation);
  return kernels::linear(active, w.fc2_weight, w.fc2_bias);
}

/// The same of the stream x, with modules.
at::Tensor changed_mlp(const BlockWeights& w, const BlockSettings& settings,
                       const BlockModules& modules, const at::Tensor& x) {
  const at::Tensor in =
      modules.changed(kernels::layer_norm(x, w.norm2_weight, w.norm2_bias, settings.layer_norm_eps),
                      sdk::AffinePlace::norm2);
  at::Tensor hidden = kernels::linear(in, w.fc1_weight, w.fc1_bias);
  hidden = modules.changed(modules.changed(hidden, in, sdk::LinearMap::fc1), sdk::AffinePlace::fc1);
  at::Tensor active =
      modules.changed(activate(hidden, settings.activation), sdk::AffinePlace::hidden);
  const at::Tensor out = kernels::linear(active, w.fc2_weight, w.fc2_bias);
  return modules.changed(modules.changed(out, active, sdk::LinearMap::fc2), sdk::AffinePlace::mlp);
}

/// The stream x with a branch's output, the modules behind the branch and those beside it.
at::Tensor join_branch(const at::Tensor& x, const at::Tensor& branch, const BlockModules& modules,
                       sdk::BottleneckSite after, sdk::BottleneckSite parallel, double norm_eps) {
  at::Tensor sum = x + branch;
  if (const at::Tensor more = modules.bottlenecks(branch, after, norm_eps); more.defined())
    sum = sum + more;
  if (const at::Tensor more = modules.bottlenecks(x, parallel, norm_eps); more.defined())
    sum = sum + more;
  return sum;
}

}  // namespace

at::Tensor finish_block(const BlockWeights& w, const BlockSettings& settings,
                        const BlockModules* modules, const at::Tensor& x,
                        const at::Tensor& attended) {
  const double eps = settings.layer_norm_eps;
  at::Tensor branch = kernels::linear(attended, w.out_weight, w.out_bias);
  if (modules == nullptr) {
    const auto [middle, in] = kernels::add_layer_norm(x, branch, w.norm2_weight, w.norm2_bias, eps);
    return middle + mlp(w, settings, in);
  }
  branch = modules->changed(modules->changed(branch, attended, sdk::LinearMap::out),
                            sdk::AffinePlace::attention);
  const at::Tensor middle = join_branch(x, branch, *modules, sdk::BottleneckSite::after_attention,
                                        sdk::BottleneckSite::parallel_attention, eps);
  return join_branch(middle, changed_mlp(w, settings, *modules, middle), *modules,
                     sdk::BottleneckSite::after_mlp, sdk::BottleneckSite::parallel_mlp, eps);
}

namespace {

/// The stream and what the attention starts from.
kernels::NormedSum start_block(const BlockWeights& w, const BlockSettings& settings,
                               const BlockModules* modules, const at::Tensor& x) {
  const double eps = settings.layer_norm_eps;
  if (modules == nullptr)
    return kernels::add_layer_norm(x, /*branch=*/{}, w.norm1_weight, w.norm1_bias, eps);
  return {.sum = x,
          .normed = modules->changed(kernels::layer_norm(x, w.norm1_weight, w.norm1_bias, eps),
                                     sdk::AffinePlace::norm1)};
}

/// Keys and values of prompts that only this block sees.
kernels::SharedKeys keys_of(const BlockWeights& w, const BlockSettings& settings,
                            const at::Tensor& x, const PassingPrompts& prompts) {
  if (!prompts.tokens.defined()) return {};
  const std::int64_t width = x.size(2);
  const at::Tensor in = kernels::layer_norm(prompts.tokens.to(x.scalar_type()), w.norm1_weight,
                                            w.norm1_bias, settings.layer_norm_eps);
  return {.kv = kernels::linear(in, w.qkv_weight.narrow(0, width, 2 * width),
                                w.qkv_bias.narrow(0, width, 2 * width)),
          .set_of_sample = prompts.set_of_sample};
}

}  // namespace

at::Tensor run_block(const BlockWeights& w, const BlockSettings& settings,
                     const BlockModules* modules, const at::Tensor& x,
                     const PassingPrompts& prompts) {
  using enum sdk::LinearMap;
  const auto [stream, in] = start_block(w, settings, modules, x);
  at::Tensor flat = kernels::linear(in, w.qkv_weight, w.qkv_bias);
  if (modules != nullptr) flat = modules->changed_qkv(flat, in, {q, k, v});
  return finish_block(w, settings, modules, stream,
                      kernels::self_attention(flat, settings.heads, settings.is_causal,
                                              keys_of(w, settings, x, prompts)));
}

at::Tensor run_block_pooled(const BlockWeights& w, const BlockSettings& settings,
                            const BlockModules* modules, const at::Tensor& x,
                            const at::Tensor& positions, const PassingPrompts& prompts) {
  using enum sdk::LinearMap;
  const std::int64_t batch = x.size(0);
  const std::int64_t width = x.size(2);
  const auto pool = [&](const at::Tensor& all) {
    if (!positions.defined()) return all.narrow(1, 0, 1);
    return all.gather(1, positions.view({batch, 1, 1}).expand({batch, 1, width}));
  };
  const auto [stream, in] = start_block(w, settings, modules, x);
  at::Tensor flat_kv = kernels::linear(in, w.qkv_weight.narrow(0, width, 2 * width),
                                       w.qkv_bias.narrow(0, width, 2 * width));
  if (modules != nullptr) flat_kv = modules->changed_qkv(flat_kv, in, {k, v});
  const at::Tensor pooled = pool(in);
  at::Tensor flat_q =
      kernels::linear(pooled, w.qkv_weight.narrow(0, 0, width), w.qkv_bias.narrow(0, 0, width));
  if (modules != nullptr) flat_q = modules->changed_qkv(flat_q, pooled, {q});
  // A causal query at position p sees the keys 0..p.
  const at::Tensor attended = kernels::attention(flat_q, flat_kv, settings.heads,
                                                 settings.is_causal ? positions : at::Tensor(),
                                                 keys_of(w, settings, x, prompts));
  return finish_block(w, settings, modules, pool(stream), attended).squeeze(1);
}

}  // namespace petlab::clip
