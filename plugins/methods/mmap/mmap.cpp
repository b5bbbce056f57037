#include "mmap.hpp"

#include "kronecker.hpp"
#include "mmap_shape.hpp"
#include "petlab/sdk/method_support.hpp"

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

/// Prompts of each tower as they are, without a source: the ablation.
std::unique_ptr<sdk::Adapter> independent_prompts(const MmapShape& shape, double std,
                                                  at::Device device, at::Generator& generator) {
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
    sdk::BackboneChanges changes;
    if (text.defined()) changes.text.prompts = sdk::prompts_of_layers(text);
    if (vision.defined()) changes.vision.prompts = sdk::prompts_of_layers(vision);
    return changes;
  });
}

/// Layer l of a tower takes source prompt l: that is what ties the towers to each other.
std::vector<sdk::PromptTokens> prompts_from(const at::Tensor& source, const at::Tensor& scales,
                                            std::int64_t layers) {
  if (!scales.defined()) return {};
  // All layers in one product: [layers, b, width].
  return sdk::prompts_of_layers(kronecker(scales, source.narrow(0, 0, layers)));
}

}  // namespace

Mmap::Mmap(const sdk::Options& options) : options_(options) {
  if (!options_.text("template").empty()) sdk::check_template(text_template(), "method 'mmap'");
}

std::string Mmap::text_template() const {
  if (!options_.text("template").empty()) return options_.text("template");
  // Text prompts take the place of the words; without them the words must stay.
  return options_.text("modalities") == "vision" ? "a photo of a {}." : "{}.";
}

std::unique_ptr<sdk::Adapter> Mmap::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const MmapShape shape = resolve_shape(options_, backbone.shape());
  const at::Device device = sdk::device_of(backbone);
  const std::string& prompts = options_.text("prompts");
  const double p_std = options_.real("p-std");
  if (prompts == "independent") return independent_prompts(shape, p_std, device, generator);

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
    sdk::BackboneChanges changes;
    changes.text.prompts = prompts_from(source, text_scales, shape.text_layers);
    changes.vision.prompts = prompts_from(source, vision_scales, shape.vision_layers);
    return changes;
  });
}

}  // namespace petlab::plugins::mmap
