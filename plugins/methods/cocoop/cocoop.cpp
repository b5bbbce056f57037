#include "cocoop.hpp"

#include "petlab/sdk/method_support.hpp"

namespace petlab::plugins::cocoop {

Cocoop::Cocoop(const sdk::Options& options) : options_(options) {}

std::string Cocoop::text_template() const {
  return "{}.";
}

std::unique_ptr<sdk::Adapter> Cocoop::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  const std::int64_t width = backbone.shape().text.width;
  const std::int64_t embed_dim = backbone.shape().embed_dim;
  const std::int64_t hidden = embed_dim / options_.integer("reduction");
  if (hidden == 0)
    throw sdk::Error(sdk::ErrorKind::config, "method 'cocoop': option 'reduction' is " +
                                                 options_.text("reduction") +
                                                 ", expected at most " + std::to_string(embed_dim) +
                                                 ", the width of the image features");

  at::Tensor start =
      sdk::draw_normal({options_.integer("n-ctx"), width}, options_.real("init-std"), generator);
  sdk::start_from_text(start, options_.text("init"), backbone);
  const sdk::Linear down = sdk::draw_linear(hidden, embed_dim, generator);
  const sdk::Linear up = sdk::draw_linear(width, hidden, generator);

  const at::Device device = sdk::device_of(backbone);
  const at::Tensor vectors = sdk::make_trainable(start, device);
  const sdk::PromptCondition condition{.down = sdk::make_trainable(down.weight, device),
                                       .down_bias = sdk::make_trainable(down.bias, device),
                                       .up = sdk::make_trainable(up.weight, device),
                                       .up_bias = sdk::make_trainable(up.bias, device)};
  return sdk::make_function_adapter({{"context", vectors},
                                     {"down", condition.down},
                                     {"down-bias", condition.down_bias},
                                     {"up", condition.up},
                                     {"up-bias", condition.up_bias}},
                                    [=](const sdk::ChangeRequest&) {
                                      sdk::BackboneChanges changes;
                                      changes.text.prompts = {{.layer = 0, .tokens = vectors}};
                                      changes.text.condition = condition;
                                      return changes;
                                    });
}

}  // namespace petlab::plugins::cocoop
