#pragma once

#include "petlab/sdk/adapter.hpp"
#include "petlab/sdk/error.hpp"
#include "petlab/sdk/options.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/normal.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// What most methods need to make their parameters. A convenience for plugins: inline code that is
// compiled into each of them, no part of the binary contract.
namespace petlab::sdk {

/// Throws Error(config) unless `text` holds exactly one "{}", the place of the class name.
/// `where` names the owner, e.g. "method 'vpt-deep'".
inline void check_template(const std::string& text, std::string_view where) {
  const auto first = text.find("{}");
  if (first == std::string::npos || text.find("{}", first + 2) != std::string::npos)
    throw Error(ErrorKind::config, std::string(where) + ": option 'template' is '" + text +
                                       "', expected a text with exactly one {} for the class name");
}

/// An adapter whose changes are a function of its parameters: most methods need no class of their
/// own.
class FunctionAdapter final : public Adapter {
 public:
  using Changes = std::function<BackboneChanges(const ChangeRequest&)>;

  FunctionAdapter(std::vector<NamedTensor> parameters, Changes changes)
      : parameters_(std::move(parameters)), changes_(std::move(changes)) {}

  [[nodiscard]] std::vector<NamedTensor> parameters() const override { return parameters_; }
  [[nodiscard]] BackboneChanges changes(const ChangeRequest& request) const override {
    return changes_(request);
  }

 private:
  std::vector<NamedTensor> parameters_;
  Changes changes_;
};

inline std::unique_ptr<Adapter> make_function_adapter(std::vector<NamedTensor> parameters,
                                                      FunctionAdapter::Changes changes) {
  return std::make_unique<FunctionAdapter>(std::move(parameters), std::move(changes));
}

/// Number of prompted layers that option `option` stands for: 0 means all `layers`.
/// Throws Error(config) when it is more than the tower has; `tower` is "image" or "text".
inline std::int64_t resolve_depth(std::int64_t depth, std::int64_t layers, std::string_view tower,
                                  std::string_view where, std::string_view option = "depth") {
  if (depth == 0) return layers;
  if (depth < 0 || depth > layers)
    throw Error(ErrorKind::config, std::string(where) + ": option '" + std::string(option) +
                                       "' is " + std::to_string(depth) + ", expected at most " +
                                       std::to_string(layers) + ", the layers of the " +
                                       std::string(tower) + " tower (0 stands for all)");
  return depth;
}

/// The device of the backbone's weights.
inline at::Device device_of(const BackboneView& backbone) {
  const std::vector<NamedTensor> weights = backbone.weights();
  if (weights.empty()) throw Error(ErrorKind::internal, "the backbone lists no weights");
  return weights.front().value.device();
}

/// A fresh fp32 CPU tensor drawn from N(0, std^2).
inline at::Tensor draw_normal(at::IntArrayRef sizes, double std, at::Generator& generator) {
  return at::normal(0.0, std, sizes, generator, at::TensorOptions().dtype(at::kFloat));
}

/// Weight [out, in] and bias [out] of a linear layer.
struct Linear {
  at::Tensor weight;
  at::Tensor bias;
};

/// A linear layer as PyTorch starts it: both from U(-1/sqrt(in), 1/sqrt(in)); CPU, fp32.
inline Linear draw_linear(std::int64_t out, std::int64_t in, at::Generator& generator) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  const auto draw = [&](at::IntArrayRef sizes) {
    return at::empty(sizes, at::TensorOptions().dtype(at::kFloat))
        .uniform_(-bound, bound, generator);
  };
  const at::Tensor weight = draw({out, in});
  return {weight, draw({out})};
}

/// `value` as a trainable leaf: fp32, contiguous, on `device`, a copy that shares no memory.
inline at::Tensor make_trainable(const at::Tensor& value, at::Device device) {
  at::Tensor leaf = value.detach().to(at::TensorOptions().device(device).dtype(at::kFloat),
                                      /*non_blocking=*/false,
                                      /*copy=*/true, at::MemoryFormat::Contiguous);
  leaf.requires_grad_(true);
  return leaf;
}

/// Overwrites the first rows of `prompts` [n_prompt, width] with the token embeddings of `text`.
/// When the text has more tokens than there are prompts, its first ones are taken; when it has
/// fewer, the other rows stay as they are. An empty text changes nothing.
inline void start_from_text(at::Tensor& prompts, const std::string& text,
                            const BackboneView& backbone) {
  if (text.empty()) return;
  const at::Tensor tokens = backbone.token_embeddings(text);  // [n_tokens, width]
  const std::int64_t rows = std::min(tokens.size(0), prompts.size(0));
  prompts.narrow(0, 0, rows).copy_(tokens.detach().narrow(0, 0, rows));
}

/// Spread of prompts that no text starts, as in the repositories of CoOp, MaPLe and VPT for CLIP.
inline constexpr double kPromptStd = 0.02;

/// Start of deep text prompts [depth, n_prompt, text width]: N(0, std^2), and the first layer's
/// from `init` (see start_from_text), as words have a meaning at the input only.
inline at::Tensor draw_text_prompts(std::int64_t depth, std::int64_t n_prompt,
                                    const std::string& init, double std,
                                    const AdapterContext& context) {
  const BackboneView& backbone = context.backbone();
  const at::Tensor prompts =
      draw_normal({depth, n_prompt, backbone.shape().text.width}, std, context.generator());
  at::Tensor first = prompts.select(0, 0);
  start_from_text(first, init, backbone);
  return prompts;
}

/// Option `template`; where it is empty, "{}." behind the words of option `init` that `n_prompt`
/// learned tokens do not replace: "of a {}." for two tokens of "a photo of a".
/// Throws Error(config) unless it holds exactly one "{}".
inline std::string template_behind_prompts(const Options& options, std::int64_t n_prompt,
                                           std::string_view where) {
  std::string text = options.text("template");
  if (text.empty()) {
    const std::string& init = options.text("init");
    std::size_t rest = 0;  // where the first word that stays begins
    for (std::int64_t i = 0; i < n_prompt && rest < init.size(); ++i) {
      const std::size_t space = init.find(' ', rest);
      rest = space == std::string::npos ? init.size() : space + 1;
    }
    text = init.substr(rest) + (rest < init.size() ? " {}." : "{}.");
  }
  check_template(text, where);
  return text;
}

/// The rows of `stack` [depth, n_prompt, width] as prompts of the layers 0, 1, ... depth-1.
inline std::vector<PromptTokens> prompts_of_layers(const at::Tensor& stack) {
  std::vector<PromptTokens> prompts;
  std::int64_t layer = 0;
  for (const at::Tensor& tokens : stack.unbind(0))
    prompts.push_back({layer++, tokens});
  return prompts;
}

}  // namespace petlab::sdk
