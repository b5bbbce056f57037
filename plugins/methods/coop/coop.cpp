#include "coop.hpp"

#include "petlab/sdk/method_support.hpp"

#include <utility>
#include <vector>

namespace petlab::plugins::coop {
namespace {

class Context final : public sdk::Adapter {
 public:
  explicit Context(at::Tensor context) : context_(std::move(context)) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
    return {{"context", context_}};
  }

  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    sdk::BackboneChanges changes;
    changes.text.prompts = {{.layer = 0, .tokens = context_}};
    return changes;
  }

 private:
  at::Tensor context_;  // [n_ctx, text width]
};

}  // namespace

Coop::Coop(const sdk::Options& options)
    : n_ctx_(options.integer("n-ctx")),
      init_(options.text("init")),
      init_std_(options.real("init-std")) {}

std::string Coop::text_template() const {
  return "{}.";
}

std::unique_ptr<sdk::Adapter> Coop::make_adapter(const sdk::AdapterContext& context) const {
  const sdk::BackboneView& backbone = context.backbone();
  at::Generator& generator = context.generator();
  at::Tensor vectors =
      sdk::draw_normal({n_ctx_, backbone.shape().text.width}, init_std_, generator);
  sdk::start_from_text(vectors, init_, backbone);
  return std::make_unique<Context>(sdk::make_trainable(vectors, sdk::device_of(backbone)));
}

}  // namespace petlab::plugins::coop
