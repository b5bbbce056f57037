#include "zero_shot.hpp"

#include "petlab/sdk/method_support.hpp"

#include <vector>

namespace petlab::plugins::zero_shot {
namespace {

class NoChange final : public sdk::Adapter {
 public:
  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override { return {}; }
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    return {};
  }
};

}  // namespace

ZeroShot::ZeroShot(const sdk::Options& options) : template_(options.text("template")) {
  sdk::check_template(template_, "method 'zero-shot'");
}

std::string ZeroShot::text_template() const {
  return template_;
}

std::unique_ptr<sdk::Adapter> ZeroShot::make_adapter(const sdk::AdapterContext& /*context*/) const {
  return std::make_unique<NoChange>();
}

}  // namespace petlab::plugins::zero_shot
