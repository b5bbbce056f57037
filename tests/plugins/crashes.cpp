#include "fixture.hpp"

#include <csignal>

namespace {

using namespace petlab;

class Crashing final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    // As a stray pointer would; the language leaves open what writing to one does.
    std::raise(SIGSEGV);
    return with(prompts_);
  }
};

constexpr sdk::MethodEntry kMethod =
    tests::fixture_entry("fixture-crashes", tests::make_method<tests::FixtureMethod<Crashing>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
