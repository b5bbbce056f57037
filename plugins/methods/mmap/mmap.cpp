#include "mmap.hpp"

#include "kronecker.hpp"
#include "mmap_shape.hpp"
#include "petlab/sdk/method_support.hpp"

#include <ATen/ops/ones.h>

#include <utility>
#include <vector>

namespace petlab::plugins::mmap {
namespace {

class AlignmentPrompts final : public sdk::Adapter {
 public:
  AlignmentPrompts(const MmapShape& shape, at::Tensor source, at::Tensor text_scales,
                   at::Tensor vision_scales)
      : shape_(shape),
        source_(std::move(source)),
        text_scales_(std::move(text_scales)),
        vision_scales_(std::move(vision_scales)) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
    std::vector<sdk::NamedTensor> parameters = {{"source", source_}};
    if (text_scales_.defined()) parameters.push_back({"text-scales", text_scales_});
    if (vision_scales_.defined()) parameters.push_back({"vision-scales", vision_scales_});
    return parameters;
  }

  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    sdk::BackboneChanges changes;
    changes.text.prompts = prompts(text_scales_, shape_.text_layers);
    changes.vision.prompts = prompts(vision_scales_, shape_.vision_layers);
    return changes;
  }

 private:
  /// Layer l of a tower takes source prompt l: that is what ties the towers to each other.
  [[nodiscard]] std::vector<sdk::PromptTokens> prompts(const at::Tensor& scales,
                                                       std::int64_t layers) const {
    if (!scales.defined()) return {};
    // All layers in one product: [layers, b, width].
    return sdk::prompts_of_layers(kronecker(scales, source_.narrow(0, 0, layers)));
  }

  MmapShape shape_;
  at::Tensor source_;         // [L, m, n]
  at::Tensor text_scales_;    // [L_text or 1, b/m, d_l/n]; undefined: no text prompts
  at::Tensor vision_scales_;  // [L_vision or 1, b/m, d_v/n]; undefined: no image prompts
};

at::Tensor draw_scales(const sdk::Options& options, const MmapShape& shape, std::int64_t layers,
                       std::int64_t width, at::Generator& generator) {
  if (layers == 0) return {};
  const std::vector<std::int64_t> sizes = {shape.share_k ? 1 : layers, shape.b / shape.m,
                                           width / shape.n};
  if (options.text("k-init") == "ones")
    return at::ones(sizes, at::TensorOptions().dtype(at::kFloat));
  return sdk::draw_normal(sizes, options.real("k-std"), generator);
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
  const auto leaf = [&](const at::Tensor& value) {
    return value.defined() ? sdk::make_trainable(value, device) : at::Tensor();
  };
  const at::Tensor source = sdk::draw_normal({shape.source_layers(), shape.m, shape.n},
                                             options_.real("p-std"), generator);
  const at::Tensor text_scales =
      draw_scales(options_, shape, shape.text_layers, shape.d_l, generator);
  const at::Tensor vision_scales =
      draw_scales(options_, shape, shape.vision_layers, shape.d_v, generator);
  return std::make_unique<AlignmentPrompts>(shape, leaf(source), leaf(text_scales),
                                            leaf(vision_scales));
}

}  // namespace petlab::plugins::mmap
