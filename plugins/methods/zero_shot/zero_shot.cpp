#include "zero_shot.hpp"

#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/module_support.hpp"

#include <utility>

namespace petlab::plugins::zero_shot {
namespace {

/// The seven templates that sequential search chose for ImageNet: openai/CLIP @d05afc4,
/// notebooks/Prompt_Engineering_for_ImageNet.ipynb.
const std::vector<std::string>& best_seven() {
  static const std::vector<std::string> templates{
      "itap of a {}.",           "a bad photo of the {}.",
      "a origami {}.",           "a photo of the large {}.",
      "a {} in a video game.",   "art of the {}.",
      "a photo of the small {}."};
  return templates;
}

std::vector<std::string> parse_templates(const std::string& text) {
  if (text == "clip-7") return best_seven();
  std::vector<std::string> templates = sdk::split_list(text, '|');
  for (const std::string& one : templates)
    sdk::check_template(one, "method 'zero-shot', option 'templates'");
  return templates;
}

}  // namespace

ZeroShot::ZeroShot(const sdk::Options& options)
    : template_(options.text("template")), templates_(parse_templates(options.text("templates"))) {
  sdk::check_template(template_, "method 'zero-shot'");
}

std::string ZeroShot::text_template() const {
  return template_;
}

std::unique_ptr<sdk::Adapter> ZeroShot::make_adapter(const sdk::AdapterContext& context) const {
  std::vector<sdk::BackboneChanges> changes_of_task(context.tasks().size());
  if (!templates_.empty())
    for (std::size_t task = 0; task < changes_of_task.size(); ++task)
      changes_of_task[task].head =
          sdk::ClassHead{.weight = sdk::class_weights(context.backbone(), templates_,
                                                      context.tasks()[task].classes),
                         .bias = {},
                         .scale = 0,  // the backbone's own
                         .unit_features = true};
  return sdk::make_function_adapter({}, [changes_of_task](const sdk::ChangeRequest& request) {
    return changes_of_task.at(static_cast<std::size_t>(request.task));
  });
}

}  // namespace petlab::plugins::zero_shot
