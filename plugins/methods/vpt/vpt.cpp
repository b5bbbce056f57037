#include "vpt.hpp"

#include "petlab/sdk/device_copy.hpp"
#include "petlab/sdk/method_support.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include <cmath>
#include <utility>
#include <vector>

namespace petlab::plugins::vpt {
namespace {

/// U(-v, v) with v = sqrt(6 / (3 * patch^2 + width of a prompt)): VPT repository @4410440,
/// src/models/vit_prompt.
at::Tensor draw_xavier(at::IntArrayRef sizes, std::int64_t patch, at::Generator& generator) {
  const double fan = static_cast<double>(3 * patch * patch + sizes.back());
  const double bound = std::sqrt(6.0 / fan);
  return at::empty(sizes, at::TensorOptions().dtype(at::kFloat)).uniform_(-bound, bound, generator);
}

/// Dropout of prompt values. One mask a step, for all images: VPT's repository draws one an image.
at::Tensor dropped(const at::Tensor& prompts, double share, at::Generator& noise) {
  const at::Tensor kept = at::empty(prompts.sizes(), at::TensorOptions().dtype(at::kFloat))
                              .bernoulli_(1.0 - share, noise);
  return prompts * sdk::to_device(kept, prompts.device()) / (1.0 - share);
}

}  // namespace

Vpt::Vpt(Placement placement, const sdk::Options& options)
    : placement_(placement), options_(options) {
  sdk::check_template(options_.text("template"), placement == Placement::shallow
                                                     ? "method 'vpt-shallow'"
                                                     : "method 'vpt-deep'");
}

std::string Vpt::text_template() const {
  return options_.text("template");
}

std::unique_ptr<sdk::Adapter> Vpt::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const sdk::BackboneShape& shape = backbone.shape();
  const at::Device device = sdk::device_of(backbone);
  const std::int64_t width = shape.vision.width;
  const std::int64_t project = options_.integer("project");
  const std::int64_t depth =
      placement_ == Placement::shallow
          ? 1
          : sdk::resolve_depth(options_.integer("depth"), shape.vision.layers, "image",
                               "method 'vpt-deep'");

  const std::vector<std::int64_t> sizes = {depth, options_.integer("n-prompt"),
                                           project > 0 ? project : width};
  const at::Tensor start = options_.text("init") == "xavier"
                               ? draw_xavier(sizes, shape.patch_size, generator)
                               : sdk::draw_normal(sizes, sdk::kPromptStd, generator);
  const at::Tensor prompts = sdk::make_trainable(start, device);
  std::vector<sdk::NamedTensor> parameters = {{"prompts", prompts}};
  at::Tensor projection;
  at::Tensor bias;
  if (project > 0) {
    // As VPT's repository: Kaiming's normal by the outputs; the bias as any linear layer's.
    const double std = std::sqrt(2.0 / static_cast<double>(width));
    bias = sdk::make_trainable(sdk::draw_linear(width, project, generator).bias, device);
    projection = sdk::make_trainable(sdk::draw_normal({width, project}, std, generator), device);
    parameters.push_back({"projection", projection});
    parameters.push_back({"projection-bias", bias});
  }
  const double dropout = options_.real("dropout");
  return sdk::make_function_adapter(std::move(parameters), [=](const sdk::ChangeRequest& request) {
    at::Tensor tokens = projection.defined() ? at::linear(prompts, projection, bias) : prompts;
    if (request.training && dropout > 0) tokens = dropped(tokens, dropout, *request.noise);
    sdk::BackboneChanges changes;
    changes.vision.prompts = sdk::prompts_of_layers(tokens);
    return changes;
  });
}

}  // namespace petlab::plugins::vpt
