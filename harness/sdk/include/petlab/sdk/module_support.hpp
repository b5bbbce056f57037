#pragma once

#include "petlab/sdk/method.hpp"
#include "petlab/sdk/method_support.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

// What methods share that put modules into the towers: the choice of towers and layers, starts of
// weights, copies of weights, and a method that is one function. Inline, as method_support.hpp.
namespace petlab::sdk {

/// A method whose adapters are made by one function of its options and the context. The template of
/// the texts is its option `template`, which is checked. An entry's factory:
/// `.make = make_function_method<kName, make_lora_adapter>`.
template <const char* kName,
          std::unique_ptr<Adapter> (*kMake)(const Options&, const AdapterContext&)>
class FunctionMethod final : public Method {
 public:
  /// Throws Error(config) when option `template` has not exactly one "{}".
  explicit FunctionMethod(const Options& options) : options_(options) {
    check_template(text_template(), std::string("method '") + kName + "'");
  }
  [[nodiscard]] std::string text_template() const override { return options_.text("template"); }
  [[nodiscard]] std::unique_ptr<Adapter> make_adapter(
      const AdapterContext& context) const override {
    return kMake(options_, context);
  }

 private:
  Options options_;
};

template <const char* kName,
          std::unique_ptr<Adapter> (*kMake)(const Options&, const AdapterContext&)>
std::unique_ptr<Method> make_function_method(const Options& options) {
  return std::make_unique<FunctionMethod<kName, kMake>>(options);
}

/// Options that many methods have.
inline constexpr OptionSpec kTemplateOption{"template", OptionType::text, "a photo of a {}.",
                                            "text around the class name, {}"};
inline constexpr OptionSpec kTowersOption{.name = "towers",
                                          .type = OptionType::choice,
                                          .default_value = "both",
                                          .help = "towers that are adapted",
                                          .choices = "both|image|text"};
inline constexpr OptionSpec kLayersOption{
    "layers", OptionType::text, "all",
    "adapted layers: all, bottom, mid, up, half-bottom, half-up, top3, or indices as 0-2,5"};

/// A comma-separated list without blanks around its items. An empty text is an empty list.
inline std::vector<std::string> split_list(std::string_view text, char separator = ',') {
  std::vector<std::string> items;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    std::string_view item = text.substr(0, end);
    while (item.starts_with(' '))
      item.remove_prefix(1);
    while (item.ends_with(' '))
      item.remove_suffix(1);
    items.emplace_back(item);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

/// The layers that option `layers` names, ascending, of a tower with `n_layers`. bottom, mid and up
/// are thirds, the halves are halves, top3 the last three (the positions of CLIP-LoRA @358f0d7).
/// Throws Error(config) for what is neither a name nor indices below `n_layers`.
inline std::vector<std::int64_t> parse_layers(const std::string& text, std::int64_t n_layers,
                                              std::string_view where) {
  const auto range = [](std::int64_t first, std::int64_t end) {
    std::vector<std::int64_t> layers;
    for (std::int64_t layer = std::max<std::int64_t>(first, 0); layer < end; ++layer)
      layers.push_back(layer);
    return layers;
  };
  if (text == "all") return range(0, n_layers);
  if (text == "bottom") return range(0, n_layers / 3);
  if (text == "mid") return range(n_layers / 3, 2 * n_layers / 3);
  if (text == "up") return range(2 * n_layers / 3, n_layers);
  if (text == "half-bottom") return range(0, n_layers / 2);
  if (text == "half-up") return range(n_layers / 2, n_layers);
  if (text == "top3") return range(n_layers - 3, n_layers);
  std::vector<std::int64_t> layers;
  for (const std::string& item : split_list(text)) {
    std::int64_t first = -1;
    const char* end = item.data() + item.size();
    auto [next, error] = std::from_chars(item.data(), end, first);
    std::int64_t last = first;
    if (error == std::errc() && next != end && *next == '-')
      std::tie(next, error) = [&] {
        const auto result = std::from_chars(next + 1, end, last);
        return std::pair(result.ptr, result.ec);
      }();
    if (error != std::errc() || next != end || first < 0 || last < first || last >= n_layers)
      throw Error(ErrorKind::config,
                  std::string(where) + ": option 'layers' is '" + text +
                      "', expected all, bottom, mid, up, half-bottom, half-up, top3 or indices "
                      "such as 0-2,5 below " +
                      std::to_string(n_layers) + ", the layers of the tower");
    for (const std::int64_t layer : range(first, last + 1))
      layers.push_back(layer);
  }
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  return layers;
}

/// A tower that a method adapts.
struct TowerSite {
  const char* name;  ///< "vision" or "text": the first part of parameters' names
  const TowerShape* shape;
  TowerChanges BackboneChanges::* changes;
};

/// The towers that option `towers` names. The pointers live as long as `shape`.
inline std::vector<TowerSite> chosen_towers(const std::string& towers, const BackboneShape& shape) {
  std::vector<TowerSite> sites;
  if (towers != "text") sites.push_back({"vision", &shape.vision, &BackboneChanges::vision});
  if (towers != "image") sites.push_back({"text", &shape.text, &BackboneChanges::text});
  return sites;
}

/// The parameters of an adapter as they are made.
class ParameterList {
 public:
  explicit ParameterList(at::Device device) : device_(device) {}

  /// Adds a trainable copy of `value` under `name` and returns it.
  at::Tensor add(std::string name, const at::Tensor& value) {
    at::Tensor leaf = make_trainable(value, device_);
    list_.push_back({std::move(name), leaf});
    return leaf;
  }
  [[nodiscard]] std::vector<NamedTensor> take() { return std::move(list_); }

 private:
  at::Device device_;
  std::vector<NamedTensor> list_;
};

/// "vision.3.up": the parameter of a layer.
inline std::string layer_name(const TowerSite& tower, std::int64_t layer, const std::string& what) {
  return std::string(tower.name) + "." + std::to_string(layer) + "." + what;
}

/// U(-b, b), b = 1 / sqrt(columns): the start of torch.nn.Linear's weight (Kaiming, a = sqrt(5)).
inline at::Tensor draw_linear(at::IntArrayRef sizes, at::Generator& generator) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(sizes.back()));
  return at::empty(sizes, at::TensorOptions().dtype(at::kFloat)).uniform_(-bound, bound, generator);
}

/// U(-b, b), b = gain * sqrt(6 / (rows + columns)): Glorot's start.
inline at::Tensor draw_glorot(at::IntArrayRef sizes, double gain, at::Generator& generator) {
  const auto n = static_cast<double>(sizes[sizes.size() - 1] + sizes[sizes.size() - 2]);
  const double bound = gain * std::sqrt(6.0 / n);
  return at::empty(sizes, at::TensorOptions().dtype(at::kFloat)).uniform_(-bound, bound, generator);
}

inline at::Tensor fp32_zeros(at::IntArrayRef sizes) {
  return at::zeros(sizes, at::TensorOptions().dtype(at::kFloat));
}
inline at::Tensor fp32_ones(at::IntArrayRef sizes) {
  return at::ones(sizes, at::TensorOptions().dtype(at::kFloat));
}

/// Option text of a nonlinearity: none, relu, gelu or quick-gelu.
inline Nonlinearity parse_nonlinearity(std::string_view text) {
  if (text == "relu") return Nonlinearity::relu;
  if (text == "gelu") return Nonlinearity::gelu;
  if (text == "quick-gelu") return Nonlinearity::quick_gelu;
  return Nonlinearity::none;
}

/// An adapter of trainable copies, under the names of their originals, of all weights of which
/// `takes(name)` is true. Buffers such as position indices are no weights.
template <class Predicate>
std::unique_ptr<Adapter> make_weight_copies(const BackboneView& backbone, const Predicate& takes) {
  std::vector<NamedTensor> copies;
  for (const auto& [name, value] : backbone.weights())
    if (value.is_floating_point() && takes(name))
      copies.push_back({name, make_trainable(value, value.device())});
  return make_function_adapter(copies, [copies](const ChangeRequest& /*request*/) {
    BackboneChanges changes;
    changes.weights = copies;
    return changes;
  });
}

}  // namespace petlab::sdk
