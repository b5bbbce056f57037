#include "petlab/kernels/attention.hpp"

#include "attention_kernel.hpp"
#include "first_derivative.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <limits>
#include <optional>
#include <tuple>
#include <type_traits>
#include <vector>

namespace petlab::kernels {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Queries and the samples' own keys lie in one tensor (`packed`, [B, L, 3 W]) or in two.
struct Inputs {
  at::Tensor query;          ///< [B, M, >= W], starts with the queries
  at::Tensor own;            ///< [B, L, 2 W], keys and values
  at::Tensor shared;         ///< [S, n, 2 W] or undefined
  at::Tensor set_of_sample;  ///< int64 [B] or undefined
  at::Tensor positions;      ///< int64 [B] or undefined
  std::int64_t heads = 0;
  bool is_causal = false;

  [[nodiscard]] std::int64_t width() const { return own.size(2) / 2; }
  [[nodiscard]] std::int64_t n_shared() const { return shared.defined() ? shared.size(1) : 0; }
};

template <typename T>
Rows<const T> rows(const at::Tensor& x, std::int64_t sample, std::int64_t column) {
  return {static_cast<const T*>(x.const_data_ptr()) + sample * x.stride(0) + column, x.stride(1)};
}

template <typename T>
Rows<T> mutable_rows(const at::Tensor& x, std::int64_t sample, std::int64_t column) {
  return {static_cast<T*>(x.mutable_data_ptr()) + sample * x.stride(0) + column, x.stride(1)};
}

template <typename T>
HeadInputs<T> head_inputs(const Inputs& in, std::int64_t sample, std::int64_t head) {
  const std::int64_t width = in.width() / in.heads;
  const std::int64_t column = head * width;
  HeadInputs<T> one{.queries = in.query.size(1),
                    .shared = in.n_shared(),
                    .own = in.own.size(1),
                    .width = width,
                    .visible = std::numeric_limits<std::int32_t>::max(),
                    .query = rows<T>(in.query, sample, column),
                    .key = rows<T>(in.own, sample, column),
                    .value = rows<T>(in.own, sample, in.width() + column),
                    .shared_key = {},
                    .shared_value = {}};
  if (in.positions.defined())
    one.visible = in.positions.const_data_ptr<std::int64_t>()[sample];
  else if (in.is_causal)
    one.visible = 0;
  if (in.shared.defined()) {
    const std::int64_t set =
        in.set_of_sample.defined() ? in.set_of_sample.const_data_ptr<std::int64_t>()[sample] : 0;
    one.shared_key = rows<T>(in.shared, set, column);
    one.shared_value = rows<T>(in.shared, set, in.width() + column);
  }
  return one;
}

/// What the FLOP counter asks for: multiplications of `products` matrices of scores' size.
std::vector<c10::IValue> announced(const Inputs& in) {
  return {in.query.size(0) * in.query.size(1), in.n_shared() + in.own.size(1), in.width()};
}

/// A head of a sample is the work of one thread: the number of threads changes no bit.
template <typename Work>
void for_each_head(const Inputs& in, Work work) {
  at::parallel_for(0, in.query.size(0) * in.heads, /*grain_size=*/1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i)
                       work(i / in.heads, i % in.heads, i);
                   });
}

template <typename T>
void run_forward(const Inputs& in, const at::Tensor& out, const at::Tensor& log_sums) {
  const std::int64_t width = in.width() / in.heads;
  auto* sums = log_sums.mutable_data_ptr<float>();
  const bool with_tiles = tiles_serve(width);
  const auto attend_head = std::get<AttentionHead<T>>(attention_heads()).forward;
  for_each_head(in, [&](std::int64_t sample, std::int64_t head, std::int64_t i) {
    const auto one = head_inputs<T>(in, sample, head);
    const auto to = mutable_rows<T>(out, sample, head * width);
    float* logs = sums + i * in.query.size(1);
    if constexpr (std::is_same_v<T, Bfloat16>)
      if (with_tiles) return attend_head_tiles(one, to, logs);
    attend_head(one, to, logs);
  });
}

/// [B, M, W] and the logarithms of the sums, [B heads, M].
std::pair<at::Tensor, at::Tensor> forward(const Inputs& in) {
  RECORD_FUNCTION("petlab::attention", announced(in));
  const at::Tensor out = at::empty({in.query.size(0), in.query.size(1), in.width()},
                                   in.query.options().requires_grad(false));
  const at::Tensor log_sums =
      at::empty({in.query.size(0) * in.heads, in.query.size(1)}, out.options().dtype(at::kFloat));
  if (out.scalar_type() == at::kFloat)
    run_forward<float>(in, out, log_sums);
  else
    run_forward<Bfloat16>(in, out, log_sums);
  return {out, log_sums};
}

/// Gradients; undefined ones are not wanted.
struct Gradients {
  at::Tensor query, own;  ///< as the inputs lie
  at::Tensor shared;      ///< float [B, n, 2 W], for each sample
};

template <typename T>
void run_backward(const Inputs& in, const at::Tensor& upstream, const at::Tensor& log_sums,
                  const Gradients& out) {
  const std::int64_t all = in.width();
  const std::int64_t width = all / in.heads;
  const auto* sums = log_sums.const_data_ptr<float>();
  const bool with_tiles = tiles_serve(width);
  const auto attend_head_backward = std::get<AttentionHead<T>>(attention_heads()).backward;
  for_each_head(in, [&](std::int64_t sample, std::int64_t head, std::int64_t i) {
    const std::int64_t column = head * width;
    HeadGradients<T> to;
    if (out.query.defined()) to.query = mutable_rows<T>(out.query, sample, column);
    if (out.own.defined()) {
      to.key = mutable_rows<T>(out.own, sample, column);
      to.value = mutable_rows<T>(out.own, sample, all + column);
    }
    if (out.shared.defined()) {
      to.shared_key = mutable_rows<float>(out.shared, sample, column);
      to.shared_value = mutable_rows<float>(out.shared, sample, all + column);
    }
    const auto one = head_inputs<T>(in, sample, head);
    const auto dy = rows<T>(upstream, sample, column);
    const float* logs = sums + i * in.query.size(1);
    if constexpr (std::is_same_v<T, Bfloat16>)
      if (with_tiles) return attend_head_backward_tiles(one, dy, logs, to);
    attend_head_backward(one, dy, logs, to);
  });
}

void backward(const Inputs& in, const at::Tensor& upstream, const at::Tensor& log_sums,
              const Gradients& out) {
  RECORD_FUNCTION("petlab::attention_backward", announced(in));
  const at::Tensor dy = upstream.to(in.query.scalar_type()).contiguous();
  if (dy.scalar_type() == at::kFloat)
    run_backward<float>(in, dy, log_sums, out);
  else
    run_backward<Bfloat16>(in, dy, log_sums, out);
}

/// The samples' gradients [B, n, 2 W] added up for each set.
at::Tensor gathered(const at::Tensor& per_sample, const Inputs& in) {
  if (!per_sample.defined()) return {};
  const at::Tensor sum = in.set_of_sample.defined()
                             ? at::zeros(in.shared.sizes(), per_sample.options())
                                   .index_add_(0, in.set_of_sample, per_sample)
                             : per_sample.sum(0, /*keepdim=*/true);
  return sum.to(in.shared.scalar_type());
}

// Autograd takes undefined inputs as missing ones only.
using Maybe = std::optional<at::Tensor>;

Maybe maybe(const at::Tensor& x) {
  return x.defined() ? Maybe(x) : std::nullopt;
}

at::Tensor of(const Maybe& x) {
  return x.value_or(at::Tensor());
}

/// Queries, keys and values in one tensor.
struct PackedAttention : torch::autograd::Function<PackedAttention> {
  static Inputs inputs(const at::Tensor& qkv, const at::Tensor& kv, const at::Tensor& sets,
                       std::int64_t heads, bool is_causal) {
    const std::int64_t width = qkv.size(2) / 3;
    return {.query = qkv,
            .own = qkv.narrow(2, width, 2 * width),
            .shared = kv,
            .set_of_sample = sets,
            .positions = {},
            .heads = heads,
            .is_causal = is_causal};
  }
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv, const Maybe& kv,
                            const Maybe& sets, std::int64_t heads, bool is_causal) {
    auto [out, log_sums] =
        petlab::kernels::forward(inputs(qkv, of(kv), of(sets), heads, is_causal));
    context->save_for_backward({qkv, of(kv), of(sets), log_sums});
    context->saved_data["heads"] = heads;
    context->saved_data["is_causal"] = is_causal;
    return out;
  }
  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    check_first_derivative("attention");
    const variable_list saved = context->get_saved_variables();
    const Inputs in = inputs(saved[0], saved[1], saved[2], context->saved_data["heads"].toInt(),
                             context->saved_data["is_causal"].toBool());
    Gradients out;
    at::Tensor packed;
    if (context->needs_input_grad(0)) {
      packed = at::empty_like(saved[0]);
      out.query = packed;
      out.own = packed.narrow(2, in.width(), 2 * in.width());
    }
    if (saved[1].defined() && context->needs_input_grad(1))
      out.shared = at::empty({in.query.size(0), in.n_shared(), 2 * in.width()}, saved[3].options());
    petlab::kernels::backward(in, upstream[0], saved[3], out);
    return {packed, gathered(out.shared, in), {}, {}, {}};
  }
};

struct SplitAttention : torch::autograd::Function<SplitAttention> {
  static Inputs inputs(const at::Tensor& q, const at::Tensor& own, const at::Tensor& kv,
                       const at::Tensor& sets, const at::Tensor& positions, std::int64_t heads) {
    return {.query = q,
            .own = own,
            .shared = kv,
            .set_of_sample = sets,
            .positions = positions,
            .heads = heads,
            .is_causal = false};
  }
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& own,
                            const Maybe& kv, const Maybe& sets, const Maybe& positions,
                            std::int64_t heads) {
    auto [out, log_sums] =
        petlab::kernels::forward(inputs(q, own, of(kv), of(sets), of(positions), heads));
    context->save_for_backward({q, own, of(kv), of(sets), of(positions), log_sums});
    context->saved_data["heads"] = heads;
    return out;
  }
  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    check_first_derivative("attention");
    const variable_list saved = context->get_saved_variables();
    const Inputs in = inputs(saved[0], saved[1], saved[2], saved[3], saved[4],
                             context->saved_data["heads"].toInt());
    Gradients out;
    if (context->needs_input_grad(0)) out.query = at::empty_like(saved[0]);
    if (context->needs_input_grad(1)) out.own = at::empty_like(saved[1]);
    if (saved[2].defined() && context->needs_input_grad(2))
      out.shared = at::empty({in.query.size(0), in.n_shared(), 2 * in.width()}, saved[5].options());
    petlab::kernels::backward(in, upstream[0], saved[5], out);
    return {out.query, out.own, gathered(out.shared, in), {}, {}, {}};
  }
};

// The scores of a head must lie in the nearer caches.
constexpr std::int64_t kMaxKeys = 1024;

bool has_kernel(const at::Tensor& q, std::int64_t head_width, std::int64_t keys) {
  return q.device().is_cpu() && head_width % 16 == 0 && keys <= kMaxKeys &&
         (q.scalar_type() == at::kFloat || q.scalar_type() == at::kBFloat16);
}

/// [B, L, n W] -> n tensors [B, heads, L, W / heads], as a view with n in front.
at::Tensor split_heads(const at::Tensor& x, std::int64_t parts, std::int64_t heads) {
  return x.reshape({x.size(0), x.size(1), parts, heads, x.size(2) / parts / heads})
      .permute({2, 0, 3, 1, 4});
}

/// By LibTorch's own operations, wherever the kernel does not serve.
at::Tensor plain_attention(const at::Tensor& q, const at::Tensor& own, std::int64_t heads,
                           bool is_causal, const at::Tensor& positions, const SharedKeys& shared) {
  const std::int64_t batch = q.size(0);
  const std::int64_t n_shared = shared.kv.defined() ? shared.kv.size(1) : 0;
  const std::int64_t length = own.size(1);
  at::Tensor kv = own;
  if (n_shared > 0) {
    const at::Tensor first = shared.set_of_sample.defined()
                                 ? shared.kv.index_select(0, shared.set_of_sample.to(q.device()))
                                 : shared.kv.expand({batch, -1, -1});
    kv = at::cat({first.to(own.scalar_type()), own}, 1);
  }
  const bool all_seen = !positions.defined() && !is_causal;
  // Added to the scores, 0 where a query sees and -inf where it does not.
  std::optional<at::Tensor> mask;
  if (!all_seen && (positions.defined() || n_shared > 0)) {
    const auto longs = at::TensorOptions().dtype(at::kLong).device(q.device());
    const at::Tensor keys = at::arange(n_shared + length, longs).view({1, 1, 1, -1});
    at::Tensor last = at::arange(n_shared, n_shared + q.size(1), longs).view({1, 1, -1, 1});
    if (positions.defined()) last = last + positions.to(q.device()).view({batch, 1, 1, 1});
    mask = at::zeros({last.size(0), 1, q.size(1), n_shared + length}, q.options())
               .masked_fill_(keys > last, -std::numeric_limits<double>::infinity());
  }
  const at::Tensor query = split_heads(q, 1, heads)[0];
  const at::Tensor parts = split_heads(kv, 2, heads);
  return at::scaled_dot_product_attention(query, parts[0], parts[1], mask, /*dropout_p=*/0.0,
                                          is_causal && !mask.has_value())
      .transpose(1, 2)
      .reshape({batch, q.size(1), own.size(2) / 2});
}

/// As autocast would hand it to an operation that it runs in its type.
at::Tensor cast(const at::Tensor& x) {
  if (!x.defined() || !at::autocast::is_autocast_enabled(x.device().type())) return x;
  return x.to(at::autocast::get_autocast_dtype(x.device().type()));
}

at::Tensor whole(const at::Tensor& x) {
  return x.defined() ? x.contiguous() : x;
}

bool needs_gradient(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c) {
  return at::GradMode::is_enabled() &&
         (a.requires_grad() || b.requires_grad() || (c.defined() && c.requires_grad()));
}

}  // namespace

at::Tensor self_attention(const at::Tensor& qkv, std::int64_t heads, bool is_causal,
                          const SharedKeys& shared) {
  const std::int64_t width = qkv.size(2) / 3;
  const std::int64_t n_shared = shared.kv.defined() ? shared.kv.size(1) : 0;
  if (!has_kernel(qkv, width / heads, n_shared + qkv.size(1)))
    return plain_attention(qkv.narrow(2, 0, width), qkv.narrow(2, width, 2 * width), heads,
                           is_causal, {}, shared);
  const at::Tensor in = cast(qkv).contiguous();
  const at::Tensor kv =
      shared.kv.defined() ? shared.kv.to(in.scalar_type()).contiguous() : at::Tensor();
  const at::Tensor sets = whole(shared.set_of_sample);
  if (needs_gradient(in, in, kv))
    return PackedAttention::apply(in, maybe(kv), maybe(sets), heads, is_causal);
  return forward(PackedAttention::inputs(in, kv, sets, heads, is_causal)).first;
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& kv, std::int64_t heads,
                     const at::Tensor& positions, const SharedKeys& shared) {
  const std::int64_t n_shared = shared.kv.defined() ? shared.kv.size(1) : 0;
  if (!has_kernel(q, q.size(2) / heads, n_shared + kv.size(1)))
    return plain_attention(q, kv, heads, /*is_causal=*/false, positions, shared);
  const at::Tensor query = cast(q).contiguous();
  const at::Tensor own = kv.to(query.scalar_type()).contiguous();
  const at::Tensor first =
      shared.kv.defined() ? shared.kv.to(query.scalar_type()).contiguous() : at::Tensor();
  const at::Tensor sets = whole(shared.set_of_sample);
  const at::Tensor places = whole(positions);
  if (needs_gradient(query, own, first))
    return SplitAttention::apply(query, own, maybe(first), maybe(sets), maybe(places), heads);
  return forward(SplitAttention::inputs(query, own, first, sets, places, heads)).first;
}

}  // namespace petlab::kernels
