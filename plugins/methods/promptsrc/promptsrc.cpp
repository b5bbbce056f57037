#include "promptsrc.hpp"

#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/method_support.hpp"
#include "petlab/sdk/module_support.hpp"
#include "petlab/sdk/training_adapter.hpp"
#include "templates.hpp"

#include <ATen/core/Reduction.h>
#include <ATen/ops/kl_div.h>
#include <ATen/ops/l1_loss.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace petlab::plugins::promptsrc {
namespace {

constexpr const char* kName = "method 'promptsrc'";

/// Prompted layers of a tower: where the option says 0, the publication's 9 of 12.
std::int64_t depth_of(const sdk::Options& options, const char* option, const sdk::TowerShape& tower,
                      const char* name) {
  const std::int64_t depth = options.integer(option);
  if (depth == 0) return std::max<std::int64_t>(1, tower.layers * 3 / 4);
  return sdk::resolve_depth(depth, tower.layers, name, kName, option);
}

/// Frozen class features of each task, [n_classes, embed_dim] of unit length: the mean over the
/// templates of features as they are, as the repository has it.
std::vector<at::Tensor> frozen_texts(const sdk::AdapterContext& context,
                                     const std::vector<std::string>& templates) {
  const sdk::ClassUnion classes(context.tasks());
  at::Tensor sum;
  for (const std::string& text_template : templates) {
    std::vector<std::string> texts;
    for (const std::string& name : classes.names)
      texts.push_back(sdk::text_of(text_template, name));
    const at::Tensor features = context.backbone().text_features(texts).detach();
    sum = sum.defined() ? sum + features : features;
  }
  const at::Tensor all = sdk::unit_rows(sum / static_cast<double>(templates.size()));
  std::vector<at::Tensor> of_task;
  for (const at::Tensor& rows : classes.rows_of_task)
    of_task.push_back(all.index_select(0, rows.to(all.device())));
  return of_task;
}

/// The three regulators.
class Regulators {
 public:
  Regulators(const sdk::Options& options, std::vector<at::Tensor> frozen_texts)
      : text_(options.real("text-weight")),
        image_(options.real("image-weight")),
        logits_(options.real("logits-weight")),
        frozen_texts_(std::move(frozen_texts)) {}

  [[nodiscard]] at::Tensor operator()(const sdk::StepTensors& step) const {
    const at::Tensor& texts = frozen_texts_.at(static_cast<std::size_t>(step.task));
    const at::Tensor& images = step.frozen_image_features;
    const at::Tensor scores = step.logit_scale.detach() * at::matmul(images, texts.t());  // [B, C]
    const at::Tensor text = at::l1_loss(step.text_features, texts, at::Reduction::Mean);
    const at::Tensor image = at::l1_loss(step.image_features, images, at::Reduction::Mean);
    const at::Tensor logits =
        at::kl_div(at::log_softmax(step.logits, 1), at::log_softmax(scores, 1), at::Reduction::Mean,
                   /*log_target=*/true);
    return logits * logits_ + text * text_ + image * image_;
  }

 private:
  double text_;
  double image_;
  double logits_;
  std::vector<at::Tensor> frozen_texts_;
};

/// Weights of epochs 1 ... n by a Gaussian around epoch `mean`, w_e ~ exp(-((e - mean) / std)^2 /
/// 2), with sum 1. `std` > 0.
std::vector<double> gaussian_weights(std::int64_t epochs, double mean, double std) {
  std::vector<double> weights;
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    const double distance = (static_cast<double>(epoch) - mean) / std;
    weights.push_back(-0.5 * distance * distance);
  }
  // Against the largest: far from all epochs, each alone would be 0.
  const double largest = weights.empty() ? 0.0 : *std::max_element(weights.begin(), weights.end());
  double sum = 0.0;
  for (double& weight : weights)
    sum += weight = std::exp(weight - largest);
  for (double& weight : weights)
    weight /= sum;
  return weights;
}

}  // namespace

PromptSrc::PromptSrc(const sdk::Options& options) : options_(options) {
  (void)text_template();
  const std::string& templates = options.text("templates");
  templates_ = templates == "imagenet-60" ? imagenet_templates() : sdk::split_list(templates, '|');
  if (templates_.empty())
    throw sdk::Error(sdk::ErrorKind::config,
                     std::string(kName) +
                         ": option 'templates' is '', expected imagenet-60 or "
                         "texts with {} between '|'");
  for (const std::string& one : templates_)
    sdk::check_template(one, std::string(kName) + ", option 'templates'");
}

std::string PromptSrc::text_template() const {
  return sdk::template_behind_prompts(options_, options_.integer("n-text"), kName);
}

std::unique_ptr<sdk::Adapter> PromptSrc::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  const sdk::BackboneShape& shape = backbone.shape();
  const std::int64_t text_depth = depth_of(options_, "text-depth", shape.text, "text");
  const std::int64_t vision_depth = depth_of(options_, "vision-depth", shape.vision, "image");
  const at::Tensor text_start = sdk::draw_text_prompts(
      text_depth, options_.integer("n-text"), options_.text("init"), sdk::kPromptStd, context);
  const at::Tensor vision_start =
      sdk::draw_normal({vision_depth, options_.integer("n-vision"), shape.vision.width},
                       sdk::kPromptStd, context.generator());
  const at::Device device = sdk::device_of(backbone);
  const at::Tensor text = sdk::make_trainable(text_start, device);
  const at::Tensor vision = sdk::make_trainable(vision_start, device);

  sdk::FunctionTrainingAdapter::Functions functions;
  functions.changes = [text, vision](const sdk::ChangeRequest& /*request*/) {
    sdk::BackboneChanges changes;
    changes.text.prompts = sdk::prompts_of_layers(text);
    changes.vision.prompts = sdk::prompts_of_layers(vision);
    return changes;
  };
  if (context.place() == 0) {
    using namespace sdk::step_tensor;
    functions.step_tensors =
        kImageFeatures | kTextFeatures | kFrozenImageFeatures | kLogits | kMeanOverImages;
    functions.loss = Regulators(options_, frozen_texts(context, templates_));
  }
  if (const double std = options_.real("gpa-std"); std > 0)
    functions.epoch_weights = [mean = options_.real("gpa-mean"), std](std::int64_t epochs) {
      return gaussian_weights(epochs, mean, std);
    };
  return sdk::make_training_adapter({{"text-prompts", text}, {"vision-prompts", vision}},
                                    std::move(functions));
}

}  // namespace petlab::plugins::promptsrc
