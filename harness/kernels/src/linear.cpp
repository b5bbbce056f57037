#include "petlab/kernels/linear.hpp"

#include "matmul_choice.hpp"
#include "petlab/kernels/activation.hpp"
#include "products.hpp"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace petlab::kernels {
namespace {

namespace autograd = torch::autograd;

/// What linear() saves and how its gradients are computed.
class LinearFunction : public autograd::Function<LinearFunction> {
 public:
  static at::Tensor forward(autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& weight, const at::Tensor& bias) {
    // Only what the gradients that are wanted need.
    const bool x_wanted = context->needs_input_grad(0), weight_wanted = context->needs_input_grad(1);
    context->save_for_backward(
        {weight_wanted ? x : at::Tensor(), x_wanted ? weight : at::Tensor()});
    context->saved_data["sizes"] = x.sizes();
    return rows_of(x, weight, bias);
  }

  static autograd::variable_list backward(autograd::AutogradContext* context,
                                          const autograd::variable_list& upstream) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1];
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const at::Tensor dy = upstream[0].reshape({-1, upstream[0].size(-1)});
    // With gradients on, this pass is to be differentiated itself: by LibTorch's operations.
    const bool plain = at::GradMode::is_enabled();
    at::Tensor dx, dw, db;
    if (context->needs_input_grad(0)) {
      dx = (plain ? at::mm(dy, weight) : linear_input_gradient(dy, weight, {})).reshape(sizes);
    }
    if (context->needs_input_grad(1)) {
      const at::Tensor rows = x.reshape({-1, x.size(-1)});
      dw = plain ? at::mm(dy.t(), rows) : linear_weight_gradient(dy, rows);
    }
    if (context->needs_input_grad(2)) db = dy.sum(0);
    return {dx, dw, db};
  }

  static at::Tensor rows_of(const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    auto sizes = x.sizes().vec();
    sizes.back() = weight.size(0);
    const at::Tensor rows = x.reshape({-1, x.size(-1)});
    return linear_forward(rows, weight, bias, Wanted::sums).y.view(sizes);
  }
};

/// Whether one of the three products may be for the tiles.
bool concerns_tiles(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!x.is_cpu() || x.dim() < 1 || weight.dim() != 2 || x.size(-1) != weight.size(1)) return false;
  if (x.scalar_type() != at::kFloat || weight.scalar_type() != at::kFloat) return false;
  if (bias.defined() && (bias.scalar_type() != at::kFloat || bias.dim() != 1)) return false;
  if (at::autocast::is_autocast_enabled(at::kCPU) || x.numel() == 0) return false;
  return amx_pays(x.numel() / x.size(-1), weight.size(0), weight.size(1)) && amx_chosen();
}

bool is_recorded(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad() ||
                                        (bias.defined() && bias.requires_grad()));
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  if (!concerns_tiles(x, weight, bias)) {
    return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  }
  if (is_recorded(x, weight, bias)) return LinearFunction::apply(x, weight, bias);
  return LinearFunction::rows_of(x, weight, bias);
}

at::Tensor linear_quick_gelu(const at::Tensor& x, const at::Tensor& weight,
                             const at::Tensor& bias) {
  return quick_gelu(linear(x, weight, bias));
}

}  // namespace petlab::kernels
