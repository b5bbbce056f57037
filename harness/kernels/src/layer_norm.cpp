#include "petlab/kernels/layer_norm.hpp"

#include "first_derivative.hpp"
#include "layer_norm_rows.hpp"
#include "tensor_values.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>
#include <tuple>

namespace petlab::kernels {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Elements that one thread takes at least.
constexpr std::int64_t kGrain = 1 << 14;

template <typename T>
T* moved(T* first, std::int64_t by) {
  return first == nullptr ? nullptr : first + by;
}

/// A row is the work of one thread: the number of threads changes no bit.
template <typename Work>
void for_each_row(const at::Tensor& x, Work work) {
  const std::int64_t width = x.size(-1);
  at::parallel_for(0, x.numel() / width, std::max<std::int64_t>(1, kGrain / width),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t row = begin; row < end; ++row)
                       work(row, row * width);
                   });
}

/// The types of stream, branch and normed values: float, or bf16 where `true`.
struct Types {
  bool stream, branch, normed;
};

bool is_bf16(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16;
}

/// work with values of the types; those of a run are the five here.
template <typename Work>
void with_types(const Types& types, Work work) {
  if (types.stream)
    work(Bfloat16{}, Bfloat16{}, Bfloat16{});
  else if (types.branch)
    types.normed ? work(0.0F, Bfloat16{}, Bfloat16{}) : work(0.0F, Bfloat16{}, 0.0F);
  else
    types.normed ? work(0.0F, 0.0F, Bfloat16{}) : work(0.0F, 0.0F, 0.0F);
}

struct Forward {
  at::Tensor sum, normed, numbers;  ///< numbers: float [rows, 2]
};

Forward forward(const at::Tensor& x, const at::Tensor& branch, const at::Tensor& weight,
                const at::Tensor& bias, double eps, at::ScalarType normed_type) {
  const auto options = x.options().requires_grad(false);
  Forward out{.sum = branch.defined() ? at::empty(x.sizes(), options) : x,
              .normed = at::empty(x.sizes(), options.dtype(normed_type)),
              .numbers = at::empty({x.numel() / x.size(-1), 2}, options.dtype(at::kFloat))};
  auto* numbers = out.numbers.mutable_data_ptr<float>();
  const Types types{is_bf16(x), branch.defined() && is_bf16(branch), is_bf16(out.normed)};
  with_types(types, [&](auto stream, auto of_branch, auto of_normed) {
    using Stream = decltype(stream);
    using Branch = decltype(of_branch);
    using Out = decltype(of_normed);
    const auto function = std::get<LayerNormRow<Stream, Branch, Out>>(layer_norm_rows()).forward;
    Stream* sum = branch.defined() ? mutable_values<Stream>(out.sum) : nullptr;
    for_each_row(x, [&](std::int64_t row, std::int64_t at) {
      const RowNumbers one =
          function(values<Stream>(x) + at, moved(values<Branch>(branch), at), values<float>(weight),
                   values<float>(bias), x.size(-1), static_cast<float>(eps), moved(sum, at),
                   mutable_values<Out>(out.normed) + at);
      numbers[2 * row] = one.mean;
      numbers[2 * row + 1] = one.scale;
    });
  });
  return out;
}

/// Gradients of the stream and, where its type is another, of the branch.
struct Backward {
  at::Tensor stream, branch;
};

Backward backward(const at::Tensor& sum, const at::Tensor& weight, const at::Tensor& numbers,
                  at::Tensor along, const at::Tensor& upstream, at::ScalarType branch_type) {
  if (along.defined()) along = along.to(sum.scalar_type()).contiguous();
  const at::Tensor dy = upstream.contiguous();
  Backward out{.stream = at::empty_like(sum), .branch = {}};
  if (branch_type != sum.scalar_type())
    out.branch = at::empty(sum.sizes(), sum.options().dtype(branch_type));
  const auto* number = values<float>(numbers);
  const Types types{is_bf16(sum), branch_type == at::kBFloat16, is_bf16(dy)};
  with_types(types, [&](auto stream, auto of_branch, auto of_normed) {
    using Stream = decltype(stream);
    using Branch = decltype(of_branch);
    using Out = decltype(of_normed);
    const auto function = std::get<LayerNormRow<Stream, Branch, Out>>(layer_norm_rows()).backward;
    for_each_row(sum, [&](std::int64_t row, std::int64_t at) {
      function(values<Stream>(sum) + at, values<float>(weight),
               {number[2 * row], number[2 * row + 1]}, moved(values<Stream>(along), at),
               values<Out>(dy) + at, sum.size(-1), mutable_values<Stream>(out.stream) + at,
               moved(mutable_values<Branch>(out.branch), at));
    });
  });
  return out;
}

/// Gradients of weight and bias, [2, width]. Rows are added up in blocks whose size is fixed, and
/// the blocks in their order.
at::Tensor parameter_gradients(const at::Tensor& sum, const at::Tensor& numbers,
                               const at::Tensor& upstream) {
  constexpr std::int64_t kRows = 64;
  const at::Tensor dy = upstream.contiguous();
  const std::int64_t width = sum.size(-1), rows = sum.numel() / width;
  const std::int64_t blocks = (rows + kRows - 1) / kRows;
  const at::Tensor parts = at::zeros({blocks, 2, width}, numbers.options());
  auto* to = parts.mutable_data_ptr<float>();
  const auto* number = values<float>(numbers);
  with_types({is_bf16(sum), is_bf16(sum), is_bf16(dy)}, [&](auto stream, auto branch, auto normed) {
    using Stream = decltype(stream);
    using Out = decltype(normed);
    const auto function =
        std::get<LayerNormRow<Stream, decltype(branch), Out>>(layer_norm_rows()).add_parameters;
    at::parallel_for(0, blocks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t block = begin; block < end; ++block)
        for (std::int64_t row = block * kRows; row < std::min(rows, (block + 1) * kRows); ++row)
          function(values<Stream>(sum) + row * width, {number[2 * row], number[2 * row + 1]},
                   values<Out>(dy) + row * width, width, to + 2 * block * width,
                   to + (2 * block + 1) * width);
    });
  });
  return parts.sum(0);
}

struct AddLayerNorm : torch::autograd::Function<AddLayerNorm> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x,
                               const std::optional<at::Tensor>& branch, const at::Tensor& weight,
                               const at::Tensor& bias, double eps, at::ScalarType normed_type) {
    const Forward out =
        petlab::kernels::forward(x, branch.value_or(at::Tensor()), weight, bias, eps, normed_type);
    context->save_for_backward({out.sum, weight, out.numbers});
    context->saved_data["branch"] = branch.has_value();
    context->saved_data["branch_type"] =
        static_cast<std::int64_t>(branch.has_value() ? branch->scalar_type() : x.scalar_type());
    context->set_materialize_grads(false);
    return {out.sum, out.normed};
  }
  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    check_first_derivative("add_layer_norm");
    const variable_list saved = context->get_saved_variables();
    const bool has_branch = context->saved_data["branch"].toBool();
    Backward out{.stream = upstream[0], .branch = {}};
    if (upstream[1].defined())
      out = petlab::kernels::backward(
          saved[0], saved[1], saved[2], upstream[0], upstream[1],
          static_cast<at::ScalarType>(context->saved_data["branch_type"].toInt()));
    at::Tensor of_branch;
    if (has_branch) of_branch = out.branch.defined() ? out.branch : out.stream;
    at::Tensor of_weight, of_bias;
    // The branch, where there is none, is no input of autograd's.
    const std::size_t weight = has_branch ? 2 : 1;
    if (upstream[1].defined() &&
        (context->needs_input_grad(weight) || context->needs_input_grad(weight + 1))) {
      const at::Tensor both = parameter_gradients(saved[0], saved[2], upstream[1]);
      of_weight = both[0];
      of_bias = both[1];
    }
    return {out.stream, of_branch, of_weight, of_bias, {}, {}};
  }
};

bool has_kernel(const at::Tensor& x, const at::Tensor& branch, const at::Tensor& weight,
                const at::Tensor& bias) {
  const auto serves = [](const at::Tensor& t) {
    return t.scalar_type() == at::kFloat || t.scalar_type() == at::kBFloat16;
  };
  if (!x.device().is_cpu() || !serves(x) || x.numel() == 0) return false;
  if (branch.defined() &&
      (!serves(branch) || branch.sizes() != x.sizes() || (is_bf16(x) && !is_bf16(branch))))
    return false;
  const auto fits = [](const at::Tensor& t) {
    return t.scalar_type() == at::kFloat && t.is_contiguous();
  };
  return fits(weight) && fits(bias);
}

}  // namespace

NormedSum add_layer_norm(const at::Tensor& x, const at::Tensor& branch, const at::Tensor& weight,
                         const at::Tensor& bias, double eps) {
  if (!has_kernel(x, branch, weight, bias)) {
    const at::Tensor sum = branch.defined() ? x + branch : x;
    return {sum, at::layer_norm(sum, {sum.size(-1)}, weight, bias, eps)};
  }
  at::ScalarType type = x.scalar_type();
  if (at::autocast::is_autocast_enabled(at::kCPU) &&
      at::autocast::get_autocast_dtype(at::kCPU) == at::kBFloat16)
    type = at::kBFloat16;
  const at::Tensor stream = x.contiguous();
  const at::Tensor added = branch.defined() ? branch.contiguous() : branch;
  if (at::GradMode::is_enabled() &&
      (stream.requires_grad() || (added.defined() && added.requires_grad()) ||
       weight.requires_grad() || bias.requires_grad())) {
    const variable_list out = AddLayerNorm::apply(
        stream, added.defined() ? std::optional(added) : std::nullopt, weight, bias, eps, type);
    return {out[0], out[1]};
  }
  const Forward out = forward(stream, added, weight, bias, eps, type);
  return {out.sum, out.normed};
}

at::Tensor layer_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                      double eps) {
  return add_layer_norm(x, /*branch=*/{}, weight, bias.defined() ? bias : at::zeros_like(weight),
                        eps)
      .normed;
}

}  // namespace petlab::kernels
