#include "fixture.hpp"

// Built twice, as two plugins with one method name.
namespace {

using namespace petlab;

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-duplicate", tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
