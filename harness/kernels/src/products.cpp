#include "products.hpp"

#include "amx_gemm.hpp"
#include "matmul_choice.hpp"
#include "petlab/kernels/activation.hpp"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <optional>
#include <vector>

namespace petlab::kernels {
namespace {

bool is_taken(const at::Tensor& a, const at::Tensor& b, std::int64_t m, std::int64_t n,
              std::int64_t k) {
  return a.is_cpu() && b.is_cpu() && a.scalar_type() == at::kFloat &&
         b.scalar_type() == at::kFloat && amx_pays(m, n, k) && amx_chosen();
}

/// The matrix itself where one of its strides is 1, else a copy.
at::Tensor packable(const at::Tensor& matrix) {
  return matrix.stride(0) == 1 || matrix.stride(1) == 1 ? matrix : matrix.contiguous();
}

/// `k_dim` is the dimension that is summed over.
MatrixView view_of(const at::Tensor& matrix, std::int64_t k_dim) {
  return {.data = matrix.const_data_ptr(),
          .stride_k = matrix.stride(k_dim),
          .stride_other = matrix.stride(1 - k_dim)};
}

/// quick_gelu'(at) dy
at::Tensor sloped(const at::Tensor& dy, const at::Tensor& at) {
  const at::Tensor gate = at::sigmoid(at * 1.702);
  return dy * gate * (1 + 1.702 * at * (1 - gate));
}

#ifdef PETLAB_HAS_AMX_CODE

/// The product on tiles, or nothing where it is not for them.
std::optional<Forward> forward_on_tiles(const at::Tensor& x, const at::Tensor& weight,
                                        const at::Tensor& bias, Wanted wanted) {
  const std::int64_t m = x.size(0), n = weight.size(0), k = x.size(1);
  if (!is_taken(x, weight, m, n, k)) return std::nullopt;
  if (bias.defined() && bias.scalar_type() != at::kFloat) return std::nullopt;
  const at::Tensor a = packable(x), b = packable(weight);
  const at::Tensor plain_bias = bias.defined() ? bias.contiguous() : at::Tensor();
  Forward result;
  if (wanted != Wanted::activated) result.y = at::empty({m, n}, x.options());
  if (wanted != Wanted::sums) result.activated = at::empty({m, n}, x.options());
  const Gemm gemm{
      .m = m,
      .n = n,
      .k = k,
      .a = view_of(a, 1),
      .b = view_of(b, 1),
      .bias = bias.defined() ? plain_bias.const_data_ptr<float>() : nullptr,
      .c = result.y.defined() ? result.y.data_ptr() : nullptr,
      .activated = result.activated.defined() ? result.activated.data_ptr() : nullptr};
  if (!amx_gemm(gemm)) return std::nullopt;
  return result;
}

std::optional<at::Tensor> input_gradient_on_tiles(const at::Tensor& dy, const at::Tensor& weight,
                                                  const at::Tensor& slope_at) {
  const std::int64_t m = dy.size(0), n = weight.size(1), k = dy.size(1);
  if (!is_taken(dy, weight, m, n, k)) return std::nullopt;
  at::Tensor a = packable(dy);
  const at::Tensor b = packable(weight);
  MatrixView view = view_of(a, 1);
  if (slope_at.defined()) {
    if (slope_at.strides() != a.strides()) {
      a = sloped(dy, slope_at).contiguous();
      view = view_of(a, 1);
    } else {
      view.slope_at = slope_at.const_data_ptr<float>();
    }
  }
  at::Tensor dx = at::empty({m, n}, dy.options());
  const Gemm gemm{
      .m = m, .n = n, .k = k, .a = view, .b = view_of(b, 0), .c = dx.data_ptr()};
  if (!amx_gemm(gemm)) return std::nullopt;
  return dx;
}

std::optional<at::Tensor> weight_gradient_on_tiles(const at::Tensor& dy, const at::Tensor& x) {
  const std::int64_t m = dy.size(1), n = x.size(1), k = dy.size(0);
  if (!is_taken(dy, x, m, n, k)) return std::nullopt;
  const at::Tensor a = packable(dy), b = packable(x);
  at::Tensor dw = at::empty({m, n}, dy.options());
  const Gemm gemm{
      .m = m, .n = n, .k = k, .a = view_of(a, 0), .b = view_of(b, 0), .c = dw.data_ptr()};
  if (!amx_gemm(gemm)) return std::nullopt;
  return dw;
}

#else

std::optional<Forward> forward_on_tiles(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                        Wanted) {
  return std::nullopt;
}

std::optional<at::Tensor> input_gradient_on_tiles(const at::Tensor&, const at::Tensor&,
                                                  const at::Tensor&) {
  return std::nullopt;
}

std::optional<at::Tensor> weight_gradient_on_tiles(const at::Tensor&, const at::Tensor&) {
  return std::nullopt;
}

#endif

}  // namespace

Forward linear_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       Wanted wanted) {
  RECORD_FUNCTION("petlab::linear_forward", std::vector<c10::IValue>({x, weight}));
  if (auto result = forward_on_tiles(x, weight, bias, wanted)) return *std::move(result);
  Forward result;
  result.y = at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
  if (wanted != Wanted::sums) result.activated = quick_gelu(result.y);
  return result;
}

at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& weight,
                                 const at::Tensor& slope_at) {
  RECORD_FUNCTION("petlab::linear_input_gradient", std::vector<c10::IValue>({dy, weight}));
  if (auto dx = input_gradient_on_tiles(dy, weight, slope_at)) return *std::move(dx);
  return at::mm(slope_at.defined() ? sloped(dy, slope_at) : dy, weight);
}

at::Tensor linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x) {
  RECORD_FUNCTION("petlab::linear_weight_gradient", std::vector<c10::IValue>({dy, x}));
  if (auto dw = weight_gradient_on_tiles(dy, x)) return *std::move(dw);
  return at::mm(dy.t(), x);
}

}  // namespace petlab::kernels
