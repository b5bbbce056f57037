#include "maple.hpp"

#include "petlab/sdk/method_support.hpp"

#include <ATen/ops/baddbmm.h>
#include <ATen/ops/cat.h>

#include <algorithm>

namespace petlab::plugins::maple {
namespace {

/// `first` for the first layer and `deeper` for each other one: MaPLe's repository makes the maps
/// of the deeper layers as copies of one.
at::Tensor by_layer(const at::Tensor& first, const at::Tensor& deeper, std::int64_t depth) {
  std::vector<at::Tensor> all = {first.unsqueeze(0)};
  all.resize(static_cast<std::size_t>(depth), deeper.unsqueeze(0));
  return at::cat(all);
}

}  // namespace

Maple::Maple(const sdk::Options& options) : options_(options) {
  (void)text_template();
}

std::string Maple::text_template() const {
  return sdk::template_behind_prompts(options_, options_.integer("n-ctx"), "method 'maple'");
}

std::unique_ptr<sdk::Adapter> Maple::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const sdk::TowerShape& text = backbone.shape().text;
  const sdk::TowerShape& vision = backbone.shape().vision;
  const bool text_is_shallower = text.layers < vision.layers;
  const std::int64_t depth =
      sdk::resolve_depth(options_.integer("depth"), std::min(text.layers, vision.layers),
                         text_is_shallower ? "text" : "image", "method 'maple'");

  const at::Tensor start = sdk::draw_text_prompts(depth, options_.integer("n-ctx"),
                                                  options_.text("init"), sdk::kPromptStd, context);
  const sdk::Linear first = sdk::draw_linear(vision.width, text.width, generator);
  const sdk::Linear deeper = sdk::draw_linear(vision.width, text.width, generator);

  const at::Device device = sdk::device_of(backbone);
  const at::Tensor prompts = sdk::make_trainable(start, device);
  const at::Tensor coupling =
      sdk::make_trainable(by_layer(first.weight, deeper.weight, depth), device);
  const at::Tensor bias = sdk::make_trainable(by_layer(first.bias, deeper.bias, depth), device);
  return sdk::make_function_adapter(
      {{"text-prompts", prompts}, {"coupling", coupling}, {"coupling-bias", bias}},
      [=](const sdk::ChangeRequest&) {
        sdk::BackboneChanges changes;
        changes.text.prompts = sdk::prompts_of_layers(prompts);
        changes.vision.prompts = sdk::prompts_of_layers(
            at::baddbmm(bias.unsqueeze(1), prompts, coupling.transpose(1, 2)));
        return changes;
      });
}

}  // namespace petlab::plugins::maple
