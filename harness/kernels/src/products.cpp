#include "products.hpp"

#include "amx.hpp"
#include "amx_gemm.hpp"
#include "library_product.hpp"
#include "matmul_choice.hpp"
#include "petlab/kernels/activation.hpp"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <optional>
#include <vector>

namespace petlab::kernels {
namespace {

/// A product on tiles: sizes, operands in the layout that they have, and the type of the result.
struct Plan {
  std::int64_t m, n, k;
  at::Tensor a, b;
  std::int64_t k_dim_a, k_dim_b;  ///< the dimension that is summed over
  at::Tensor bias, slope_at;
  Precision precision;
  at::ScalarType result;
};

bool has_kernel(at::ScalarType type) {
  return type == at::kFloat || type == at::kBFloat16;
}

/// The matrix itself where one of its strides is 1, else a copy.
at::Tensor packable(const at::Tensor& matrix) {
  return matrix.stride(0) == 1 || matrix.stride(1) == 1 ? matrix : matrix.contiguous();
}

/// The products on tiles, or nothing where they are not for them.
std::optional<Forward> on_tiles(const Plan& plan, Wanted wanted) {
#ifdef PETLAB_HAS_AMX_CODE
  const bool bf16 = plan.precision == Precision::bf16;
  const auto takes = [bf16](const at::Tensor& t) {
    return t.is_cpu() && (t.scalar_type() == at::kFloat || (bf16 && has_kernel(t.scalar_type())));
  };
  if (!takes(plan.a) || !takes(plan.b) || !has_kernel(plan.result)) return std::nullopt;
  if (!amx_pays(plan.m, plan.n, plan.k, bf16) || !amx_chosen()) return std::nullopt;
  const auto element = [](at::ScalarType type) {
    return type == at::kFloat ? Element::fp32 : Element::bf16;
  };
  const auto view = [&element](const at::Tensor& matrix, std::int64_t k_dim) {
    return MatrixView{.data = matrix.const_data_ptr(),
                      .element = element(matrix.scalar_type()),
                      .stride_k = matrix.stride(k_dim),
                      .stride_other = matrix.stride(1 - k_dim)};
  };
  at::Tensor a = packable(plan.a);
  const at::Tensor b = packable(plan.b);
  const void* slope_at = nullptr;
  if (plan.slope_at.defined()) {
    if (plan.slope_at.strides() == a.strides() && plan.slope_at.scalar_type() == a.scalar_type())
      slope_at = plan.slope_at.const_data_ptr();
    else
      a = quick_gelu_backward(a, plan.slope_at);
  }
  const at::Tensor bias =
      plan.bias.defined() ? plan.bias.to(at::kFloat).contiguous() : at::Tensor();
  const auto options = plan.a.options().dtype(plan.result);
  Forward out;
  if (wanted != Wanted::activated) out.y = at::empty({plan.m, plan.n}, options);
  if (wanted != Wanted::sums) out.activated = at::empty({plan.m, plan.n}, options);
  Gemm gemm{.m = plan.m,
            .n = plan.n,
            .k = plan.k,
            .a = view(a, plan.k_dim_a),
            .b = view(b, plan.k_dim_b),
            .parts = bf16 ? 1 : 3,
            .bias = bias.defined() ? bias.const_data_ptr<float>() : nullptr,
            .c = out.y.defined() ? out.y.data_ptr() : nullptr,
            .activated = out.activated.defined() ? out.activated.data_ptr() : nullptr,
            .element = element(plan.result)};
  gemm.a.slope_at = slope_at;
  if (!amx_gemm(gemm)) return std::nullopt;
  return out;
#else
  (void)plan, (void)wanted;
  return std::nullopt;
#endif
}

/// As the library's product takes it.
at::Tensor typed(const at::Tensor& t, Precision precision) {
  return precision == Precision::bf16 && t.defined() ? t.to(at::kBFloat16) : t;
}

}  // namespace

Forward linear_forward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       Wanted wanted, Precision precision) {
  RECORD_FUNCTION("petlab::linear_forward", std::vector<c10::IValue>({x, weight}));
  const Plan plan{.m = x.size(0),
                  .n = weight.size(0),
                  .k = x.size(1),
                  .a = x,
                  .b = weight,
                  .k_dim_a = 1,
                  .k_dim_b = 1,
                  .bias = bias,
                  .slope_at = {},
                  .precision = precision,
                  .result = precision == Precision::bf16 ? at::kBFloat16 : x.scalar_type()};
  if (auto out = on_tiles(plan, wanted)) return *std::move(out);
  Forward out;
  out.y =
      library_product(typed(x, precision), typed(weight, precision).t(), typed(bias, precision));
  if (wanted != Wanted::sums) out.activated = quick_gelu(out.y);
  if (wanted == Wanted::activated) out.y.reset();
  return out;
}

at::Tensor linear_input_gradient(const at::Tensor& dy, const at::Tensor& weight,
                                 const at::Tensor& slope_at, Precision precision,
                                 at::ScalarType result) {
  RECORD_FUNCTION("petlab::linear_input_gradient", std::vector<c10::IValue>({dy, weight}));
  const Plan plan{.m = dy.size(0),
                  .n = weight.size(1),
                  .k = dy.size(1),
                  .a = dy,
                  .b = weight,
                  .k_dim_a = 1,
                  .k_dim_b = 0,
                  .bias = {},
                  .slope_at = slope_at,
                  .precision = precision,
                  .result = result};
  if (auto out = on_tiles(plan, Wanted::sums)) return out->y;
  const at::Tensor upstream = slope_at.defined() ? quick_gelu_backward(dy, slope_at) : dy;
  return library_product(typed(upstream, precision), typed(weight, precision), {}).to(result);
}

at::Tensor linear_weight_gradient(const at::Tensor& dy, const at::Tensor& x, Precision precision,
                                  at::ScalarType result) {
  RECORD_FUNCTION("petlab::linear_weight_gradient", std::vector<c10::IValue>({dy, x}));
  const Plan plan{.m = dy.size(1),
                  .n = x.size(1),
                  .k = dy.size(0),
                  .a = dy,
                  .b = x,
                  .k_dim_a = 0,
                  .k_dim_b = 0,
                  .bias = {},
                  .slope_at = {},
                  .precision = precision,
                  .result = result};
  if (auto out = on_tiles(plan, Wanted::sums)) return out->y;
  return library_product(typed(dy, precision).t(), typed(x, precision), {}).to(result);
}

}  // namespace petlab::kernels
