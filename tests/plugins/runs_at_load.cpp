#include "runs_at_load.hpp"

#include "fixture.hpp"

namespace {

using namespace petlab;

const tests::RunsAtLoad kRunsAtLoad;

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-runs-at-load", tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
