#include "fixture.hpp"

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <thread>
#include <vector>

namespace {

using namespace petlab;

class Hoarding final : public tests::FixtureAdapter {
 public:
  using FixtureAdapter::FixtureAdapter;
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& /*request*/) const override {
    constexpr std::size_t kBlock = 32U << 20, kBlocks = 128;  // 4 GiB
    std::vector<std::vector<char>> blocks;
    while (blocks.size() < kBlocks) {
      blocks.emplace_back(kBlock, char{1});  // written, so that the system really gives it
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    throw std::runtime_error("nobody minded " + std::to_string(blocks.size()) + " blocks");
  }
};

constexpr sdk::MethodEntry kMethod = tests::fixture_entry(
    "fixture-hoards-memory", tests::make_method<tests::FixtureMethod<Hoarding>>);

}  // namespace

PETLAB_PLUGIN(PETLAB_FIXTURE_PARTS(kMethod));
