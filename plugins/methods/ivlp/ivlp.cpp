#include "ivlp.hpp"

#include "petlab/sdk/method_support.hpp"

namespace petlab::plugins::ivlp {
namespace {

constexpr const char* kName = "method 'ivlp'";

}  // namespace

Ivlp::Ivlp(const sdk::Options& options) : options_(options) {
  (void)text_template();
}

std::string Ivlp::text_template() const {
  return sdk::template_behind_prompts(options_, options_.integer("n-text"), kName);
}

std::unique_ptr<sdk::Adapter> Ivlp::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  const sdk::BackboneShape& shape = backbone.shape();
  const std::int64_t text_depth = sdk::resolve_depth(
      options_.integer("text-depth"), shape.text.layers, "text", kName, "text-depth");
  const std::int64_t vision_depth = sdk::resolve_depth(
      options_.integer("vision-depth"), shape.vision.layers, "image", kName, "vision-depth");
  const at::Tensor text_start = sdk::draw_text_prompts(
      text_depth, options_.integer("n-text"), options_.text("init"), sdk::kPromptStd, context);
  const at::Tensor vision_start =
      sdk::draw_normal({vision_depth, options_.integer("n-vision"), shape.vision.width},
                       sdk::kPromptStd, context.generator());

  const at::Device device = sdk::device_of(backbone);
  const at::Tensor text = sdk::make_trainable(text_start, device);
  const at::Tensor vision = sdk::make_trainable(vision_start, device);
  return sdk::make_function_adapter({{"text-prompts", text}, {"vision-prompts", vision}},
                                    [=](const sdk::ChangeRequest&) {
                                      sdk::BackboneChanges changes;
                                      changes.text.prompts = sdk::prompts_of_layers(text);
                                      changes.vision.prompts = sdk::prompts_of_layers(vision);
                                      return changes;
                                    });
}

}  // namespace petlab::plugins::ivlp
