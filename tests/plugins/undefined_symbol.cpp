#include "fixture.hpp"

namespace petlab::tests {

/// Declared, never defined: only a host that resolves symbols at load notices.
int missing_in_every_library();

}  // namespace petlab::tests

namespace {

using namespace petlab;

class CallsMissing final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& request) const override {
    return tests::missing_in_every_library() == 0 ? FixtureAdapter::changes(request)
                                                  : sdk::BackboneChanges{};
  }
};

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-undefined-symbol", tests::make_method<tests::FixtureMethod<CallsMissing>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
