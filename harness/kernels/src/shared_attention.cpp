#include "petlab/kernels/shared_attention.hpp"

#include "bfloat16.hpp"
#include "shared_sequences.hpp"
#include "tensor_values.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>
#include <utility>

namespace petlab::kernels {
namespace {

/// [R, W] -> [N, heads, R / N, D].
at::Tensor as_heads(const at::Tensor& x, std::int64_t n, std::int64_t heads) {
  return x.view({n, x.size(0) / n, heads, x.size(1) / heads}).transpose(1, 2);
}

at::Tensor as_rows(const at::Tensor& x) {  // the way back
  return x.transpose(1, 2).reshape({x.size(0) * x.size(2), x.size(1) * x.size(3)});
}

/// With LibTorch's operations, differentiable by them.
at::Tensor by_library(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                      std::int64_t heads, const SharedSequences::Impl& sequences) {
  const PaddedSequences p = sequences.padded(k.device());
  const auto n_groups = static_cast<std::int64_t>(sequences.prefixes.size());
  const auto n = static_cast<std::int64_t>(sequences.sequences.size());
  const at::Tensor prefix_k = as_heads(k.index_select(0, p.prefix_rows), n_groups, heads);
  const at::Tensor prefix_v = as_heads(v.index_select(0, p.prefix_rows), n_groups, heads);
  std::vector<at::Tensor> made;
  if (p.prefix_queries.defined()) {
    const at::Tensor query = as_heads(q.index_select(0, p.prefix_queries), n_groups, heads);
    made.push_back(as_rows(at::scaled_dot_product_attention(query, prefix_k, prefix_v,
                                                            /*attn_mask=*/{}, /*dropout_p=*/0.0,
                                                            /*is_causal=*/true)));
  }
  const auto with_prefix = [&](const at::Tensor& prefix, const at::Tensor& all) {
    const at::Tensor of_each =
        p.group_of.defined() ? prefix.index_select(0, p.group_of) : prefix.expand({n, -1, -1, -1});
    return at::cat({of_each, as_heads(all.index_select(0, p.rows), n, heads)}, 2);
  };
  const at::Tensor query = as_heads(q.index_select(0, p.queries), n, heads);
  made.push_back(as_rows(at::scaled_dot_product_attention(query, with_prefix(prefix_k, k),
                                                          with_prefix(prefix_v, v), p.mask)));
  return (made.size() == 1 ? made.front() : at::cat(made)).index_select(0, p.out);
}

/// Announces the work to who counts FLOPs: (queries, keys that each sees, width of all heads).
std::vector<c10::IValue> work_of(const SharedSequences::Impl& sequences, std::int64_t width) {
  return {sequences.n_pairs, std::int64_t{1}, width};
}

struct Pointers {
  const at::Tensor& q;   ///< [Q, W], or undefined
  const at::Tensor& kv;  ///< [R, 2 W], or [R, 3 W] with the queries in front
  AttentionShape shape;
  std::int64_t width = 0;

  Pointers(const at::Tensor& queries, const at::Tensor& keys, std::int64_t heads)
      : q(queries), kv(keys), width(keys.size(1) / (queries.defined() ? 2 : 3)) {
    shape = {.heads = heads,
             .head_width = width / heads,
             .q_stride = q.defined() ? width : 3 * width,
             .kv_stride = kv.size(1)};
  }
  /// The first key of rows that lie as kv does.
  template <typename T>
  [[nodiscard]] T* first_key(T* rows) const {
    return rows + (q.defined() ? 0 : width);
  }
};

template <typename T>
void forward(const Pointers& in, const SharedSequences::Impl& sequences, const at::Tensor& out) {
  const T* keys = in.first_key(values<T>(in.kv));
  shared_attention_forward<T>(sequences, in.shape, values<T>(in.q.defined() ? in.q : in.kv), keys,
                              keys + in.width, mutable_values<T>(out));
}

template <typename T>
void backward(const Pointers& in, const SharedSequences::Impl& sequences, const at::Tensor& grad,
              const at::Tensor& grad_q, const at::Tensor& grad_kv) {
  const T* keys = in.first_key(values<T>(in.kv));
  T* grad_keys = in.first_key(mutable_values<T>(grad_kv));
  shared_attention_backward<T>(sequences, in.shape, values<T>(in.q.defined() ? in.q : in.kv), keys,
                               keys + in.width, values<T>(grad),
                               mutable_values<T>(in.q.defined() ? grad_q : grad_kv), grad_keys,
                               grad_keys + in.width);
}

at::Tensor run_forward(const at::Tensor& q, const at::Tensor& kv, std::int64_t heads,
                       const SharedSequences::Impl& sequences) {
  const Pointers in(q, kv, heads);
  RECORD_FUNCTION("petlab::attention", work_of(sequences, in.width));
  const at::Tensor out = at::empty({sequences.n_out, in.width}, kv.options());
  if (kv.scalar_type() == at::kFloat)
    forward<float>(in, sequences, out);
  else
    forward<Bfloat16>(in, sequences, out);
  return out;
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class SharedAttention : public torch::autograd::Function<SharedAttention> {
 public:
  static at::Tensor forward(AutogradContext* context, const std::optional<at::Tensor>& queries,
                            const at::Tensor& kv, std::int64_t heads,
                            const std::shared_ptr<const SharedSequences::Impl>& sequences) {
    const at::Tensor q = queries.value_or(at::Tensor());
    context->save_for_backward({q, kv});
    context->saved_data["heads"] = heads;
    context->saved_data["sequences"] =
        c10::IValue::make_capsule(c10::make_intrusive<Holder>(sequences));
    return run_forward(q, kv, heads, *sequences);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& q = saved[0];
    const at::Tensor& kv = saved[1];
    const auto capsule = context->saved_data["sequences"].toCapsule();
    const SharedSequences::Impl& sequences = *static_cast<const Holder&>(*capsule).sequences;
    const Pointers in(q, kv, context->saved_data["heads"].toInt());
    RECORD_FUNCTION("petlab::attention_backward", work_of(sequences, in.width));
    const at::Tensor grad = grads[0].contiguous();
    const at::Tensor grad_q = q.defined() ? at::zeros_like(q) : at::Tensor();
    const at::Tensor grad_kv = at::zeros_like(kv);
    if (kv.scalar_type() == at::kFloat)
      kernels::backward<float>(in, sequences, grad, grad_q, grad_kv);
    else
      kernels::backward<Bfloat16>(in, sequences, grad, grad_q, grad_kv);
    return {grad_q, grad_kv, at::Tensor(), at::Tensor()};
  }

 private:
  struct Holder final : torch::CustomClassHolder {
    explicit Holder(std::shared_ptr<const SharedSequences::Impl> held)
        : sequences(std::move(held)) {}
    std::shared_ptr<const SharedSequences::Impl> sequences;
  };
};

at::Tensor run(const at::Tensor& q, const at::Tensor& kv, std::int64_t heads,
               const SharedSequences& sequences, AttentionPath path) {
  const std::int64_t width = kv.size(1) / (q.defined() ? 2 : 3);
  const at::ScalarType type = kv.scalar_type();
  if (path == AttentionPath::library || !kv.device().is_cpu() ||
      (type != at::kFloat && type != at::kBFloat16)) {
    const std::int64_t first = q.defined() ? 0 : width;
    return by_library(q.defined() ? q : kv.narrow(1, 0, width), kv.narrow(1, first, width),
                      kv.narrow(1, first + width, width), heads, *sequences.impl());
  }
  const at::Tensor own = q.defined() ? q.to(type).contiguous() : q;
  if (!at::GradMode::is_enabled() ||
      !(kv.requires_grad() || (own.defined() && own.requires_grad())))
    return run_forward(own, kv.contiguous(), heads, *sequences.impl());
  return SharedAttention::apply(own.defined() ? std::optional(own) : std::nullopt, kv.contiguous(),
                                heads, sequences.impl());
}

}  // namespace

at::Tensor shared_attention(const at::Tensor& qkv, std::int64_t heads,
                            const SharedSequences& sequences, AttentionPath path) {
  TORCH_CHECK(qkv.dim() == 2 && qkv.size(0) == sequences.n_rows() && qkv.size(1) % (3 * heads) == 0,
              "shared attention of ", sequences.n_rows(), " rows was given ", qkv.sizes());
  return run({}, qkv, heads, sequences, path);
}

at::Tensor shared_attention(const at::Tensor& q, const at::Tensor& kv, std::int64_t heads,
                            const SharedSequences& sequences, AttentionPath path) {
  TORCH_CHECK(kv.dim() == 2 && kv.size(0) == sequences.n_rows() && kv.size(1) % (2 * heads) == 0 &&
                  q.dim() == 2 && q.size(1) * 2 == kv.size(1),
              "shared attention of ", sequences.n_rows(), " rows was given ", kv.sizes(), " and ",
              q.sizes());
  return run(q, kv, heads, sequences, path);
}

}  // namespace petlab::kernels
