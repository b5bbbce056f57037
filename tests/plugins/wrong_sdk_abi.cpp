#include "fixture.hpp"

namespace {

using namespace petlab;

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-wrong-sdk-abi", tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

PETLAB_PLUGIN(.sdk_abi = petlab::sdk::kSdkAbi + 1, PETLAB_FIXTURE_PARTS(kMethod));
