#include "single_modal_prompts.hpp"

#include "petlab/sdk/method_support.hpp"

namespace petlab::plugins::single_modal_prompts {

TextPrompt::TextPrompt(const sdk::Options& options) : options_(options) {
  (void)text_template();
}

std::string TextPrompt::text_template() const {
  return sdk::template_behind_prompts(options_, options_.integer("n-prompt"),
                                      "method 'text-prompt'");
}

std::unique_ptr<sdk::Adapter> TextPrompt::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  const std::int64_t depth = sdk::resolve_depth(
      options_.integer("depth"), backbone.shape().text.layers, "text", "method 'text-prompt'");
  const at::Tensor start = sdk::draw_text_prompts(depth, options_.integer("n-prompt"),
                                                  options_.text("init"), sdk::kPromptStd, context);
  const at::Tensor prompts = sdk::make_trainable(start, sdk::device_of(backbone));
  return sdk::make_function_adapter({{"prompts", prompts}}, [=](const sdk::ChangeRequest&) {
    sdk::BackboneChanges changes;
    changes.text.prompts = sdk::prompts_of_layers(prompts);
    return changes;
  });
}

VisionPrompt::VisionPrompt(const sdk::Options& options) : options_(options) {
  sdk::check_template(options_.text("template"), "method 'vision-prompt'");
}

std::string VisionPrompt::text_template() const {
  return options_.text("template");
}

std::unique_ptr<sdk::Adapter> VisionPrompt::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  const sdk::TowerShape& tower = backbone.shape().vision;
  const std::int64_t depth = sdk::resolve_depth(options_.integer("depth"), tower.layers, "image",
                                                "method 'vision-prompt'");
  const at::Tensor start = sdk::draw_normal({depth, options_.integer("n-prompt"), tower.width},
                                            sdk::kPromptStd, context.generator());
  const at::Tensor prompts = sdk::make_trainable(start, sdk::device_of(backbone));
  return sdk::make_function_adapter({{"prompts", prompts}}, [=](const sdk::ChangeRequest&) {
    sdk::BackboneChanges changes;
    changes.vision.prompts = sdk::prompts_of_layers(prompts);
    return changes;
  });
}

}  // namespace petlab::plugins::single_modal_prompts
