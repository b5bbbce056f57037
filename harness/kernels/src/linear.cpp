#include "petlab/kernels/linear.hpp"

#include "matmul_choice.hpp"
#include "petlab/base/error.hpp"
#include "petlab/kernels/activation.hpp"
#include "products.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace petlab::kernels {
namespace {

namespace autograd = torch::autograd;

at::Tensor as_rows(const at::Tensor& x) {
  return x.reshape({-1, x.size(-1)});
}

/// As LibTorch takes what may be absent.
std::optional<at::Tensor> optional(const at::Tensor& bias) {
  return bias.defined() ? std::optional(bias) : std::nullopt;
}

/// Rows as linear_forward gave them, in the shape that belongs to x.
at::Tensor shaped(const at::Tensor& rows, const at::Tensor& x) {
  auto sizes = x.sizes().vec();
  sizes.back() = rows.size(1);
  return rows.view(sizes);
}

/// linear() or linear_quick_gelu() with what their gradients need, and no more.
template <bool kGelu>
class Layer : public autograd::Function<Layer<kGelu>> {
 public:
  static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const std::optional<at::Tensor>& given_bias,
                            std::int64_t precision) {
    const at::Tensor bias = given_bias.value_or(at::Tensor());
    const Forward out = linear_forward(as_rows(x), weight, bias,
                                       kGelu ? Wanted::both : Wanted::sums, Precision(precision));
    // Not needs_input_grad(): in a forward pass inside of a backward pass, as chunks of texts have
    // it, that answers for the pass outside.
    const bool for_x = x.requires_grad(), for_weight = weight.requires_grad();
    context->save_for_backward({for_weight ? x : at::Tensor(), for_x ? weight : at::Tensor(),
                                kGelu ? out.y : at::Tensor()});
    context->saved_data["sizes"] = x.sizes();
    context->saved_data["x_type"] = x.scalar_type();
    context->saved_data["weight_type"] = weight.scalar_type();
    context->saved_data["has_bias"] = bias.defined();
    if (bias.defined()) context->saved_data["bias_type"] = bias.scalar_type();
    context->saved_data["precision"] = precision;
    return shaped(kGelu ? out.activated : out.y, x);
  }

  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& upstream) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    at::Tensor slope_at = saved[2];
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const auto type = [context](const char* name) {
      return context->saved_data[name].toScalarType();
    };
    const auto precision = Precision(context->saved_data["precision"].toInt());
    at::Tensor dy = as_rows(upstream[0]);
    // With gradients on, this pass is to be differentiated itself: by LibTorch's operations.
    const bool plain = at::GradMode::is_enabled();
    if (plain && (kGelu || precision == Precision::bf16)) {
      throw base::Error(
          base::ErrorKind::internal,
          "second derivatives of linear_quick_gelu, and of linear under autocast, are "
          "not computed; use the first derivatives only");
    }
    const bool for_x = context->needs_input_grad(0), for_weight = context->needs_input_grad(1),
               for_bias = context->saved_data["has_bias"].toBool() && context->needs_input_grad(2);
    if (kGelu && (for_weight || for_bias)) {
      dy = quick_gelu_backward(dy, slope_at);
      slope_at.reset();
    }
    at::Tensor dx, dw, db;
    if (for_x) {
      dx = plain ? at::mm(dy, weight)
                 : linear_input_gradient(dy, weight, slope_at, precision, type("x_type"));
      dx = dx.view(sizes);
    }
    if (for_weight) {
      dw = plain ? at::mm(dy.t(), as_rows(x))
                 : linear_weight_gradient(dy, as_rows(x), precision, type("weight_type"));
    }
    if (for_bias) db = dy.sum(0).to(type("bias_type"));
    return {dx, dw, db, at::Tensor()};
  }
};

/// bf16 where autocast asks for it, the operands' own type where that is fp32; nothing where
/// LibTorch computes the layer as it is.
std::optional<Precision> precision_here(const at::Tensor& x, const at::Tensor& weight,
                                        const at::Tensor& bias) {
  if (!x.is_cpu() || x.dim() < 1 || weight.dim() != 2 || x.size(-1) != weight.size(1)) return {};
  if (bias.defined() && (bias.dim() != 1 || bias.size(0) != weight.size(0))) return {};
  if (x.numel() == 0 || weight.numel() == 0) return {};
  const auto all_are = [&](auto is) {
    return is(x.scalar_type()) && is(weight.scalar_type()) &&
           (!bias.defined() || is(bias.scalar_type()));
  };
  const bool fp32 = all_are([](at::ScalarType type) { return type == at::kFloat; });
  const bool either =
      all_are([](at::ScalarType type) { return type == at::kFloat || type == at::kBFloat16; });
  const bool bf16 = all_are([](at::ScalarType type) { return type == at::kBFloat16; });
  const bool cast = at::autocast::is_autocast_enabled(at::kCPU);
  if (cast && at::autocast::get_autocast_dtype(at::kCPU) != at::kBFloat16) return {};
  std::optional<Precision> precision;
  if (cast ? either : bf16) precision = Precision::bf16;
  if (!cast && fp32) precision = Precision::as_given;
  if (!precision) return {};
  // Products of fp32 are shared out here, on tiles or not; those of bf16 that LibTorch computes
  // need no sharing out, and autocast keeps the weights that it has rounded.
  if (precision == Precision::as_given) return precision;
  const std::int64_t m = x.numel() / x.size(-1), n = weight.size(0), k = weight.size(1);
  if (!amx_pays(m, n, k, /*bf16=*/true) || !amx_chosen()) return {};
  return precision;
}

bool is_recorded(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::GradMode::is_enabled() &&
         (x.requires_grad() || weight.requires_grad() || (bias.defined() && bias.requires_grad()));
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const auto precision = precision_here(x, weight, bias);
  if (!precision) {
    return at::linear(x, weight, optional(bias));
  }
  if (is_recorded(x, weight, bias)) {
    return Layer<false>::apply(x, weight, optional(bias), static_cast<std::int64_t>(*precision));
  }
  return shaped(linear_forward(as_rows(x), weight, bias, Wanted::sums, *precision).y, x);
}

at::Tensor linear_quick_gelu(const at::Tensor& x, const at::Tensor& weight,
                             const at::Tensor& bias) {
  const auto precision = precision_here(x, weight, bias);
  if (!precision) return quick_gelu(linear(x, weight, bias));
  if (is_recorded(x, weight, bias)) {
    return Layer<true>::apply(x, weight, optional(bias), static_cast<std::int64_t>(*precision));
  }
  return shaped(linear_forward(as_rows(x), weight, bias, Wanted::activated, *precision).activated,
                x);
}

}  // namespace petlab::kernels
