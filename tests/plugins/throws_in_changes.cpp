#include "fixture.hpp"

namespace {

using namespace petlab;

/// An exception type of the plugin's own, which the host cannot know.
class PrivateError final : public std::exception {
 public:
  [[nodiscard]] const char* what() const noexcept override { return "the changes gave up"; }
};

class Throwing final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    throw PrivateError();
  }
};

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-throws-in-changes", tests::make_method<tests::FixtureMethod<Throwing>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
