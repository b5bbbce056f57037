#include "fixture.hpp"

namespace {

using namespace petlab;

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-wrong-build-tag", tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

PETLAB_PLUGIN(.build_tag = "gcc 4.9; c++ 201402; cxx11-abi 0", PETLAB_FIXTURE_PARTS(kMethod));
