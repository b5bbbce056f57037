#include "coop.hpp"

#include "petlab/sdk/head_support.hpp"
#include "petlab/sdk/method_support.hpp"

#include <ATen/ops/index_select.h>

#include <cstdint>
#include <vector>

namespace petlab::plugins::coop {
namespace {

sdk::ClassPosition position_of(const std::string& name) {
  if (name == "middle") return sdk::ClassPosition::middle;
  return name == "front" ? sdk::ClassPosition::front : sdk::ClassPosition::end;
}

sdk::BackboneChanges prompts_at_input(const at::Tensor& tokens, sdk::ClassPosition position) {
  sdk::BackboneChanges changes;
  changes.text.prompts = {{.layer = 0, .tokens = tokens}};
  changes.text.class_position = position;
  return changes;
}

}  // namespace

Coop::Coop(Contexts contexts, const sdk::Options& options)
    : contexts_(contexts), options_(options) {}

std::string Coop::text_template() const {
  return "{}.";
}

std::unique_ptr<sdk::Adapter> Coop::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  const at::Device device = sdk::device_of(backbone);
  const std::int64_t n_ctx = options_.integer("n-ctx");
  const std::int64_t width = backbone.shape().text.width;
  const double std = options_.real("init-std");
  const sdk::ClassPosition position = position_of(options_.text("class-position"));
  if (contexts_ == Contexts::shared) {
    at::Tensor start = sdk::draw_normal({n_ctx, width}, std, context.generator());
    sdk::start_from_text(start, options_.text("init"), backbone);
    const at::Tensor vectors = sdk::make_trainable(start, device);
    return sdk::make_function_adapter({{"context", vectors}}, [=](const sdk::ChangeRequest&) {
      return prompts_at_input(vectors, position);
    });
  }
  const sdk::ClassUnion classes(context.tasks());
  std::vector<at::Tensor> rows_of_task;
  for (const at::Tensor& rows : classes.rows_of_task)
    rows_of_task.push_back(rows.to(device));
  const at::Tensor vectors = sdk::make_trainable(
      sdk::draw_normal({static_cast<std::int64_t>(classes.names.size()), n_ctx, width}, std,
                       context.generator()),
      device);
  return sdk::make_function_adapter(
      {{"contexts", vectors}}, [=](const sdk::ChangeRequest& request) {
        const at::Tensor& rows = rows_of_task.at(static_cast<std::size_t>(request.task));
        return prompts_at_input(vectors.index_select(0, rows), position);
      });
}

}  // namespace petlab::plugins::coop
