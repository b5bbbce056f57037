#include "petlab/kernels/activation.hpp"

#include "activation_values.hpp"
#include "first_derivative.hpp"
#include "tensor_values.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>

namespace petlab::kernels {

namespace {

constexpr double kSlope = 1.702;

// What one thread takes at a time: a few microseconds of work.
constexpr std::int64_t kGrain = 1 << 14;

/// The element's place decides nothing, so the number of threads changes no bit.
template <typename T>
void forward(const at::Tensor& x, const at::Tensor& y) {
  const auto function = std::get<QuickGeluValues<T>>(quick_gelu_values()).forward;
  at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    function(values<T>(x) + begin, mutable_values<T>(y) + begin, end - begin);
  });
}

template <typename T>
void backward(const at::Tensor& x, const at::Tensor& upstream, const at::Tensor& out) {
  const auto function = std::get<QuickGeluValues<T>>(quick_gelu_values()).backward;
  at::parallel_for(0, x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    function(values<T>(x) + begin, values<T>(upstream) + begin, mutable_values<T>(out) + begin,
             end - begin);
  });
}

bool has_kernel(const at::Tensor& x) {
  return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

at::Tensor computed(const at::Tensor& x) {
  const at::Tensor in = x.contiguous();
  at::Tensor y = at::empty_like(in);
  if (in.scalar_type() == at::kFloat)
    forward<float>(in, y);
  else
    forward<Bfloat16>(in, y);
  return y;
}

struct QuickGelu : torch::autograd::Function<QuickGelu> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    return computed(x);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& upstream) {
    check_first_derivative("quick_gelu");
    return {quick_gelu_backward(upstream[0], context->get_saved_variables()[0])};
  }
};

}  // namespace

at::Tensor quick_gelu(const at::Tensor& x) {
  // silu(1.702 x) / 1.702: one saved tensor instead of two.
  if (!has_kernel(x)) return at::silu(x * kSlope).mul_(1.0 / kSlope);
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return computed(x);
  return QuickGelu::apply(x);
}

at::Tensor quick_gelu_backward(const at::Tensor& upstream, const at::Tensor& x) {
  if (!has_kernel(x)) {
    const at::Tensor gate = at::sigmoid(x * kSlope);
    return upstream * gate * ((1 - gate) * x * kSlope + 1);
  }
  const at::Tensor in = x.contiguous();
  const at::Tensor dy = upstream.to(in.scalar_type()).contiguous();
  at::Tensor out = at::empty_like(in);
  if (in.scalar_type() == at::kFloat)
    petlab::kernels::backward<float>(in, dy, out);
  else
    petlab::kernels::backward<Bfloat16>(in, dy, out);
  return out;
}

}  // namespace petlab::kernels
