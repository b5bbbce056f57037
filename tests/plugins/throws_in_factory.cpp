#include "fixture.hpp"

#include <stdexcept>

namespace {

using namespace petlab;

std::unique_ptr<sdk::Method> make(const sdk::Options& /*options*/) {
  throw std::runtime_error("the factory gave up");
}

constexpr sdk::MethodEntry kMethod = tests::fixture_entry("fixture-throws-in-factory", make);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
