#include "fixture.hpp"

namespace {

using namespace petlab;

/// Prompts that are one wider than the tower.
class TooWide final : public tests::FixtureAdapter {
 public:
  explicit TooWide(const sdk::BackboneView& backbone) : FixtureAdapter(backbone) {
    prompts_ = sdk::make_trainable(
        at::full({2, backbone.shape().vision.width + 1}, 0.01, at::TensorOptions(at::kFloat)),
        sdk::device_of(backbone));
  }
};

constexpr sdk::MethodEntry kMethod =
    tests::fixture_entry("fixture-wrong-shape", tests::make_method<tests::FixtureMethod<TooWide>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
