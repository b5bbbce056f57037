#include "full_finetune.hpp"

#include "petlab/sdk/method_support.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace petlab::plugins::full_finetune {
namespace {

bool starts_with_any(std::string_view name, std::string_view first, std::string_view second) {
  return name.starts_with(first) || name.starts_with(second);
}

/// Trainable copies under the names of their originals.
class WeightCopies final : public sdk::Adapter {
 public:
  explicit WeightCopies(std::vector<sdk::NamedTensor> copies) : copies_(std::move(copies)) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override { return copies_; }

  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    sdk::BackboneChanges changes;
    changes.weights = copies_;
    return changes;
  }

 private:
  std::vector<sdk::NamedTensor> copies_;
};

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
  const sdk::BackboneView& backbone = context.backbone();
  std::vector<sdk::NamedTensor> copies;
  for (const auto& [name, value] : backbone.weights()) {
    // Buffers such as position indices are no weights.
    if (!value.is_floating_point() || !selection_.takes(name)) continue;
    copies.push_back({name, sdk::make_trainable(value, value.device())});
  }
  return std::make_unique<WeightCopies>(std::move(copies));
}

}  // namespace petlab::plugins::full_finetune
