#include "fixture.hpp"

namespace {

using namespace petlab;

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-good", tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
