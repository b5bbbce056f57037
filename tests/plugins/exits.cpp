#include "fixture.hpp"

#include <cstdlib>

namespace {

using namespace petlab;

class Exiting final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    std::_Exit(0);
  }
};

constexpr sdk::MethodEntry kMethod =
    tests::fixture_entry("fixture-exits", tests::make_method<tests::FixtureMethod<Exiting>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
