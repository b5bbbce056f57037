#include "kgcoop.hpp"

#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/method_support.hpp"
#include "petlab/sdk/training_adapter.hpp"

#include <ATen/ops/mean.h>

#include <cstdint>
#include <vector>

namespace petlab::plugins::kgcoop {
namespace {

/// Unit features of the hand-crafted texts of each task's classes: [n_classes, embed_dim].
std::vector<at::Tensor> reference_features(const sdk::AdapterContext& context,
                                           const std::string& text_template) {
  const sdk::ClassUnion classes(context.tasks());
  const at::Tensor all = sdk::class_weights(context.backbone(), {text_template}, classes.names);
  std::vector<at::Tensor> of_task;
  for (const at::Tensor& rows : classes.rows_of_task)
    of_task.push_back(all.index_select(0, rows.to(all.device())));
  return of_task;
}

}  // namespace

KgCoop::KgCoop(const sdk::Options& options) : options_(options) {
  sdk::check_template(options.text("reference"), "method 'kgcoop', option 'reference'");
}

std::string KgCoop::text_template() const {
  return "{}.";
}

std::unique_ptr<sdk::Adapter> KgCoop::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Tensor start = sdk::draw_normal({options_.integer("n-ctx"), backbone.shape().text.width},
                                      options_.real("init-std"), context.generator());
  sdk::start_from_text(start, options_.text("init"), backbone);
  const at::Tensor vectors = sdk::make_trainable(start, sdk::device_of(backbone));

  sdk::FunctionTrainingAdapter::Functions functions;
  functions.changes = [vectors](const sdk::ChangeRequest& /*request*/) {
    sdk::BackboneChanges changes;
    changes.text.prompts = {{.layer = 0, .tokens = vectors}};
    return changes;
  };
  const double weight = options_.real("weight");
  if (context.place() == 0 && weight > 0) {
    functions.step_tensors = sdk::step_tensor::kTextFeatures;
    functions.loss = [weight, is_cosine = options_.text("distance") == "cosine",
                      references = reference_features(context, options_.text("reference"))](
                         const sdk::StepTensors& step) {
      const at::Tensor& reference = references.at(static_cast<std::size_t>(step.task));
      const at::Tensor distance =  // [n_classes]
          is_cosine ? 1 - (step.text_features * reference).sum(1)
                    : (step.text_features - reference).square().sum(1);
      return distance.mean() * weight;
    };
  }
  return sdk::make_training_adapter({{"context", vectors}}, std::move(functions));
}

}  // namespace petlab::plugins::kgcoop
