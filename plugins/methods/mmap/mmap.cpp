#include "mmap.hpp"

#include "kronecker.hpp"
#include "mmap_shape.hpp"
#include "petlab/sdk/method_support.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>

#include <utility>
#include <vector>

namespace petlab::plugins::mmap {
namespace {

at::Tensor draw_scales(const sdk::Options& options, const MmapShape& shape, std::int64_t layers,
                       std::int64_t width, at::Generator& generator) {
  if (layers == 0) return {};
  const std::vector<std::int64_t> sizes = {shape.share_k ? 1 : layers, shape.b / shape.m,
                                           width / shape.n};
  if (options.text("k-init") == "ones")
    return at::ones(sizes, at::TensorOptions().dtype(at::kFloat));
  return sdk::draw_normal(sizes, options.real("k-std"), generator);
}

/// What all adapters of an MmAP have beside their parameters.
struct Frame {
  at::Tensor words;  ///< [b, d_l], of the first text layer; undefined for none
  sdk::PromptComposition composition = sdk::PromptComposition::concatenate;

  /// The changes that prompts of the towers stand for, [layers, b, width] or undefined.
  [[nodiscard]] sdk::BackboneChanges changes(const at::Tensor& text,
                                             const at::Tensor& vision) const {
    sdk::BackboneChanges changes;
    if (text.defined()) changes.text.prompts = sdk::prompts_of_layers(text);
    if (vision.defined()) changes.vision.prompts = sdk::prompts_of_layers(vision);
    if (words.defined() && text.defined()) {
      at::Tensor& first = changes.text.prompts.front().tokens;
      first = first + words;
    }
    changes.text.prompt_composition = composition;
    changes.vision.prompt_composition = composition;
    return changes;
  }
};

Frame make_frame(const sdk::Options& options, const MmapShape& shape,
                 const sdk::AdapterContext& context) {
  Frame frame;
  if (options.text("composition") == "add") frame.composition = sdk::PromptComposition::add;
  // In a sum the words stand once.
  const bool repeats = options.text("init-adapters") == "all" &&
                       frame.composition == sdk::PromptComposition::concatenate;
  if (shape.text_layers == 0 || options.text("init").empty()) return frame;
  if (context.place() > 0 && !repeats) return frame;
  const sdk::BackboneView& backbone = context.backbone();
  const at::Tensor tokens = backbone.token_embeddings(options.text("init")).detach();
  if (tokens.size(0) == 0) return frame;
  // Over again until each prompt has a word: one without would stand in the middle of the text and
  // say nothing (README.md).
  frame.words = tokens.index_select(
      0, at::arange(shape.b, tokens.options().dtype(at::kLong)).remainder(tokens.size(0)));
  return frame;
}

/// Prompts of each tower as they are, without a source: the ablation.
std::unique_ptr<sdk::Adapter> independent_prompts(const MmapShape& shape, double std,
                                                  const Frame& frame, at::Device device,
                                                  at::Generator& generator) {
  std::vector<sdk::NamedTensor> parameters;
  const auto draw = [&](const char* name, std::int64_t layers, std::int64_t width) {
    if (layers == 0) return at::Tensor();
    const at::Tensor prompts =
        sdk::make_trainable(sdk::draw_normal({layers, shape.b, width}, std, generator), device);
    parameters.push_back({name, prompts});
    return prompts;
  };
  const at::Tensor text = draw("text-prompts", shape.text_layers, shape.d_l);
  const at::Tensor vision = draw("vision-prompts", shape.vision_layers, shape.d_v);
  return sdk::make_function_adapter(std::move(parameters), [=](const sdk::ChangeRequest&) {
    return frame.changes(text, vision);
  });
}

/// Layer l of a tower takes source prompt l: that is what ties the towers to each other.
/// [layers, b, width], undefined without scales.
at::Tensor prompts_from(const at::Tensor& source, const at::Tensor& scales, std::int64_t layers) {
  return scales.defined() ? kronecker(scales, source.narrow(0, 0, layers)) : at::Tensor();
}

}  // namespace

Mmap::Mmap(const sdk::Options& options) : options_(options) {
  (void)text_template();
}

std::string Mmap::text_template() const {
  // Text prompts take the place of the words; without them the words must stay.
  if (options_.text("modalities") == "vision" && options_.text("template").empty())
    return "a photo of a {}.";
  return sdk::template_behind_prompts(options_, prompt_tokens(options_), "method 'mmap'");
}

std::unique_ptr<sdk::Adapter> Mmap::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const MmapShape shape = resolve_shape(options_, backbone.shape());
  const at::Device device = sdk::device_of(backbone);
  const std::string& prompts = options_.text("prompts");
  const double p_std = options_.real("p-std");
  const Frame frame = make_frame(options_, shape, context);
  if (prompts == "independent") return independent_prompts(shape, p_std, frame, device, generator);

  const at::Tensor source = sdk::make_trainable(
      sdk::draw_normal({shape.source_layers(), shape.m, shape.n}, p_std, generator), device);
  std::vector<sdk::NamedTensor> parameters = {{"source", source}};
  const auto scales = [&](const char* name, std::int64_t layers, std::int64_t width) {
    const at::Tensor start = draw_scales(options_, shape, layers, width, generator);
    if (!start.defined()) return start;
    if (prompts == "source") return start.to(device);  // stays as it starts
    parameters.push_back({name, sdk::make_trainable(start, device)});
    return parameters.back().value;
  };
  const at::Tensor text_scales = scales("text-scales", shape.text_layers, shape.d_l);
  const at::Tensor vision_scales = scales("vision-scales", shape.vision_layers, shape.d_v);
  return sdk::make_function_adapter(std::move(parameters), [=](const sdk::ChangeRequest&) {
    return frame.changes(prompts_from(source, text_scales, shape.text_layers),
                         prompts_from(source, vision_scales, shape.vision_layers));
  });
}

}  // namespace petlab::plugins::mmap
