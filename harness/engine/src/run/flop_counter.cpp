#include "petlab/engine/flop_counter.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <ATen/record_function.h>

#include <memory>
#include <string_view>
#include <unordered_map>

namespace petlab::engine {
namespace {

using Inputs = c10::ArrayRef<const c10::IValue>;

std::atomic<std::atomic<double>*> g_counted = nullptr;

// Inside an operation that is counted, or in a pause. An operation may be made of others of the
// table (a convolution of products) or call itself again (autocast): the outermost one counts.
thread_local int t_inside = 0;

double number(std::int64_t value) {
  return static_cast<double>(value);
}

/// [..., m, k] x [..., k, n], also with vectors.
double product(const at::Tensor& a, const at::Tensor& b) {
  return 2.0 * number(a.numel()) * number(b.dim() > 1 ? b.size(-1) : 1);
}

double of_product(Inputs in) {
  return product(in[0].toTensor(), in[1].toTensor());
}

/// The first input is added to the product of the next two.
double of_added_product(Inputs in) {
  return product(in[1].toTensor(), in[2].toTensor());
}

/// Products of every query with every key, `over_keys` as long as a key and `over_values` as long
/// as a value.
double attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                 int over_keys, int over_values) {
  if (query.numel() == 0) return 0.0;
  const double pairs = number(query.numel() / query.size(-1)) * number(key.size(-2));
  return 2.0 * pairs * (over_keys * number(key.size(-1)) + over_values * number(value.size(-1)));
}

/// x [..., k] with a weight of [n, k].
double of_linear(Inputs in) {
  return 2.0 * number(in[0].toTensor().numel()) * number(in[1].toTensor().size(0));
}

/// Scores, and the sum of the values.
double of_attention(Inputs in) {
  return attention(in[0].toTensor(), in[1].toTensor(), in[2].toTensor(), 1, 1);
}

/// The scores again and the gradients of queries and keys; those of weights and values.
double of_attention_backward(Inputs in) {
  return attention(in[1].toTensor(), in[2].toTensor(), in[3].toTensor(), 3, 2);
}

/// The same of petlab's own kernel: (queries, keys that each sees, width of all heads).
double of_own_attention(Inputs in) {
  return 4.0 * number(in[0].toInt()) * number(in[1].toInt()) * number(in[2].toInt());
}

double of_own_attention_backward(Inputs in) {
  return 2.5 * of_own_attention(in);
}

/// `places`: the number of positions of the grid that the kernel is put on, with the batch.
double convolution(const at::Tensor& weight, std::int64_t places) {
  return 2.0 * number(weight.numel()) * number(places);
}

std::int64_t places_of(const at::Tensor& grid) {  // [B, C, ...]
  return grid.size(1) > 0 ? grid.numel() / grid.size(1) : 0;
}

/// (input, weight, bias, stride, padding, dilation, transposed, output_padding, groups)
double of_convolution(Inputs in) {
  const at::Tensor& input = in[0].toTensor();
  const at::Tensor& weight = in[1].toTensor();
  if (in[6].toBool()) return convolution(weight, places_of(input));
  const auto stride = in[3].toIntVector();
  const auto padding = in[4].toIntVector();
  const auto dilation = in[5].toIntVector();
  std::int64_t places = input.size(0);
  for (std::int64_t d = 2; d < input.dim(); ++d) {
    const auto i = static_cast<std::size_t>(d - 2);
    const std::int64_t reach = dilation[dilation.size() > 1 ? i : 0] * (weight.size(d) - 1);
    const std::int64_t room = input.size(d) + 2 * padding[padding.size() > 1 ? i : 0] - reach - 1;
    places *= room / stride[stride.size() > 1 ? i : 0] + 1;
  }
  return convolution(weight, places);
}

/// (grad_output, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding,
/// groups, output_mask): as much as forward for each of the two gradients that are wanted.
double of_convolution_backward(Inputs in) {
  const bool transposed = in[7].toBool();
  const auto wanted = in[10].toBoolList();
  const int gradients = (wanted.get(0) ? 1 : 0) + (wanted.get(1) ? 1 : 0);
  const at::Tensor& grid = (transposed ? in[1] : in[0]).toTensor();
  return gradients * convolution(in[2].toTensor(), places_of(grid));
}

using Rule = double (*)(Inputs);

/// LibTorch's operations without their name space and the underscore of their in-place form, and
/// petlab's own.
const std::unordered_map<std::string_view, Rule>& rules() {
  static const std::unordered_map<std::string_view, Rule> table = {
      {"petlab::attention", of_own_attention},
      {"petlab::attention_backward", of_own_attention_backward},
      {"petlab::linear_forward", of_linear},
      {"petlab::linear_input_gradient", of_product},
      {"petlab::linear_weight_gradient", of_product},
      {"mm", of_product},
      {"bmm", of_product},
      {"mv", of_product},
      {"dot", of_product},
      {"vdot", of_product},
      {"addmm", of_added_product},
      {"_addmm_activation", of_added_product},
      {"addbmm", of_added_product},
      {"baddbmm", of_added_product},
      {"addmv", of_added_product},
      {"convolution", of_convolution},
      {"convolution_overrideable", of_convolution},
      {"_convolution", of_convolution},
      {"convolution_backward", of_convolution_backward},
      {"convolution_backward_overrideable", of_convolution_backward},
      {"_scaled_dot_product_flash_attention_for_cpu", of_attention},
      {"_scaled_dot_product_flash_attention", of_attention},
      {"_scaled_dot_product_efficient_attention", of_attention},
      {"_scaled_dot_product_cudnn_attention", of_attention},
      {"_scaled_dot_product_flash_attention_for_cpu_backward", of_attention_backward},
      {"_scaled_dot_product_flash_attention_backward", of_attention_backward},
      {"_scaled_dot_product_efficient_attention_backward", of_attention_backward},
      {"_scaled_dot_product_cudnn_attention_backward", of_attention_backward},
  };
  return table;
}

/// Leaves the operation that it was made for.
struct Leave final : at::ObserverContext {
  Leave() { ++t_inside; }
  ~Leave() override { --t_inside; }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;
};

std::unique_ptr<at::ObserverContext> on_start(const at::RecordFunction& function) {
  std::atomic<double>* counted = g_counted.load();
  if (counted == nullptr || t_inside > 0) return nullptr;
  std::string_view name = function.name();
  constexpr std::string_view kSpace = "aten::";
  if (name.starts_with(kSpace))
    name.remove_prefix(kSpace.size());
  else if (!name.starts_with("petlab::"))
    return nullptr;
  if (name.ends_with('_')) name.remove_suffix(1);
  const auto rule = rules().find(name);
  if (rule == rules().end()) return nullptr;
  counted->fetch_add(rule->second(function.inputs()));
  return std::make_unique<Leave>();
}

}  // namespace

FlopScope::FlopScope(double& total) : total_(total) {
  total_ = 0.0;
  std::atomic<double>* nobody = nullptr;
  if (!g_counted.compare_exchange_strong(nobody, &counted_)) {
    throw base::Error(base::ErrorKind::internal, "FLOPs are counted in one place at a time");
  }
  // Of this thread alone; a backward pass carries it to the threads that it uses.
  callback_ = at::addThreadLocalCallback(
      at::RecordFunctionCallback(on_start).needsInputs(true).scopes({at::RecordScope::FUNCTION}));
}

FlopScope::~FlopScope() {
  at::removeCallback(callback_);
  g_counted = nullptr;
  total_ = counted_;
}

FlopPause::FlopPause() {
  ++t_inside;
}

FlopPause::~FlopPause() {
  --t_inside;
}

}  // namespace petlab::engine
