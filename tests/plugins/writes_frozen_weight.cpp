#include "fixture.hpp"

namespace {

using namespace petlab;

/// Breaks the contract of BackboneView: writes the host's weights through the tensors it was lent.
class Writing final : public tests::FixtureAdapter {
 public:
  explicit Writing(const sdk::BackboneView& backbone)
      : FixtureAdapter(backbone), lent_(backbone.weights().front().value) {}

  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& request) const override {
    lent_.detach().add_(1.0);  // shares the memory
    return FixtureAdapter::changes(request);
  }

 private:
  at::Tensor lent_;
};

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-writes-frozen-weight", tests::make_method<tests::FixtureMethod<Writing>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
