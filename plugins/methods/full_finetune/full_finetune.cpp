#include "full_finetune.hpp"

#include "petlab/sdk/module_support.hpp"

#include <string_view>

namespace petlab::plugins::full_finetune {
namespace {

bool starts_with_any(std::string_view name, std::string_view first, std::string_view second) {
  return name.starts_with(first) || name.starts_with(second);
}

}  // namespace

bool Selection::takes(const std::string& name) const {
  if (starts_with_any(name, "vision_model.", "visual_projection.")) return vision;
  if (starts_with_any(name, "text_model.", "text_projection.")) return text;
  if (name == "logit_scale") return logit_scale;
  throw sdk::Error(sdk::ErrorKind::plugin,
                   "method 'full-fine-tuning': the backbone's weight '" + name +
                       "' belongs to no tower, expected a name of the Hugging Face CLIP layout");
}

FullFinetune::FullFinetune(const sdk::Options& options)
    : selection_{.vision = options.text("towers") != "text",
                 .text = options.text("towers") != "image",
                 .logit_scale = options.boolean("train-logit-scale")},
      template_(options.text("template")) {
  sdk::check_template(template_, "method 'full-fine-tuning'");
}

std::string FullFinetune::text_template() const {
  return template_;
}

std::unique_ptr<sdk::Adapter> FullFinetune::make_adapter(const sdk::AdapterContext& context) const {
  return sdk::make_weight_copies(
      context.backbone(), [this](const std::string& name) { return selection_.takes(name); });
}

}  // namespace petlab::plugins::full_finetune
