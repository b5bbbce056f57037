#include "fixture.hpp"

namespace {

using namespace petlab;

// A byte each for major, minor and patch, from the top.
constexpr std::uint64_t kTorch112 = (std::uint64_t{1} << 56) | (std::uint64_t{12} << 48);

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-wrong-torch", tests::make_method<tests::FixtureMethod<tests::FixtureAdapter>>);

}  // namespace

PETLAB_PLUGIN(.torch_abi = kTorch112, .torch_version = "1.12.0", PETLAB_FIXTURE_PARTS(kMethod));
