#include "fixture.hpp"

#include <stdexcept>

namespace {

using namespace petlab;

class Throwing final : public tests::FixtureAdapter {
 public:
  explicit Throwing(const sdk::BackboneView& backbone) : FixtureAdapter(backbone) {
    throw std::runtime_error("the adapter gave up");
  }
};

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-throws-in-make-adapter", tests::make_method<tests::FixtureMethod<Throwing>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
