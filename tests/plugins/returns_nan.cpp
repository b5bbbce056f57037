#include "fixture.hpp"

#include <limits>

namespace {

using namespace petlab;

/// Its parameters are finite, its prompts are not.
class NotANumber final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    return with(prompts_.mul(std::numeric_limits<double>::quiet_NaN()));
  }
};

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-returns-nan", tests::make_method<tests::FixtureMethod<NotANumber>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
