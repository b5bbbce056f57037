#include "single_modal_prompts.hpp"

#include "petlab/sdk/method_support.hpp"

#include <utility>
#include <vector>

namespace petlab::plugins::single_modal_prompts {
namespace {

// Start of every prompt that no text starts: MaPLe repository @69bce21.
constexpr double kInitStd = 0.02;

enum class Modality { text, vision };

class DeepPrompts final : public sdk::Adapter {
 public:
  DeepPrompts(Modality modality, at::Tensor prompts)
      : modality_(modality), prompts_(std::move(prompts)) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
    return {{"prompts", prompts_}};
  }

  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    sdk::BackboneChanges changes;
    sdk::TowerChanges& tower = modality_ == Modality::text ? changes.text : changes.vision;
    tower.prompts = sdk::prompts_of_layers(prompts_);
    return changes;
  }

 private:
  Modality modality_;
  at::Tensor prompts_;  // [depth, n_prompt, width]
};

}  // namespace

TextPrompt::TextPrompt(const sdk::Options& options)
    : n_prompt_(options.integer("n-prompt")),
      depth_(options.integer("depth")),
      init_(options.text("init")),
      template_(options.text("template")) {
  sdk::check_template(template_, "method 'text-prompt'");
}

std::string TextPrompt::text_template() const {
  return template_;
}

std::unique_ptr<sdk::Adapter> TextPrompt::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const sdk::TowerShape& tower = backbone.shape().text;
  const std::int64_t depth =
      sdk::resolve_depth(depth_, tower.layers, "text", "method 'text-prompt'");
  const at::Tensor prompts = sdk::draw_normal({depth, n_prompt_, tower.width}, kInitStd, generator);
  at::Tensor first = prompts.select(0, 0);  // words have a meaning at the input only
  sdk::start_from_text(first, init_, backbone);
  return std::make_unique<DeepPrompts>(Modality::text,
                                       sdk::make_trainable(prompts, sdk::device_of(backbone)));
}

VisionPrompt::VisionPrompt(const sdk::Options& options)
    : n_prompt_(options.integer("n-prompt")),
      depth_(options.integer("depth")),
      template_(options.text("template")) {
  sdk::check_template(template_, "method 'vision-prompt'");
}

std::string VisionPrompt::text_template() const {
  return template_;
}

std::unique_ptr<sdk::Adapter> VisionPrompt::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const sdk::TowerShape& tower = backbone.shape().vision;
  const std::int64_t depth =
      sdk::resolve_depth(depth_, tower.layers, "image", "method 'vision-prompt'");
  const at::Tensor prompts = sdk::draw_normal({depth, n_prompt_, tower.width}, kInitStd, generator);
  return std::make_unique<DeepPrompts>(Modality::vision,
                                       sdk::make_trainable(prompts, sdk::device_of(backbone)));
}

}  // namespace petlab::plugins::single_modal_prompts
