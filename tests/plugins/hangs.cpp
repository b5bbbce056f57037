#include "fixture.hpp"

#include <chrono>
#include <thread>

namespace {

using namespace petlab;

class Hanging final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    while (true)
      std::this_thread::sleep_for(std::chrono::seconds(1));
  }
};

constexpr sdk::MethodEntry kMethod =
    tests::fixture_entry("fixture-hangs", tests::make_method<tests::FixtureMethod<Hanging>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
