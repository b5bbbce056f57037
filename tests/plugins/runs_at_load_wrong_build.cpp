#include "fixture.hpp"
#include "runs_at_load.hpp"

namespace {

using namespace petlab;

const tests::RunsAtLoad kRunsAtLoad;

constexpr sdk::MethodEntry kMethod =
    tests::fixture_entry("fixture-runs-at-load-wrong-build",
                         tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

PETLAB_PLUGIN(.build_tag = "gcc 4.9; c++ 201402; cxx11-abi 0", PETLAB_FIXTURE_PARTS(kMethod));
