#include "fixture.hpp"

namespace {

using namespace petlab;

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-wrong-name", tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

// Another name than its file's.
#undef PETLAB_PLUGIN_NAME
#define PETLAB_PLUGIN_NAME "somebody_else"
PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
