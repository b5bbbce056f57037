#include "fixture.hpp"

#include <cstdlib>

namespace {

using namespace petlab;

class Aborting final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    std::abort();
  }
};

constexpr sdk::MethodEntry kMethod =
    tests::fixture_entry("fixture-aborts", tests::make_method<tests::FixtureMethod<Aborting>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
