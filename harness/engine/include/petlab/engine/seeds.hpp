#pragma once

#include "petlab/base/random.hpp"

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace petlab::engine {

/// The seed of one purpose in a run, e.g. derive_seed(seed, {"adapter", "task", "clipart"}). The
/// names keep the purposes apart: no order of calls, no number of tasks and no other purpose has a
/// part in it, so that a task alone gets what it gets among others.
[[nodiscard]] constexpr std::uint64_t derive_seed(
    std::uint64_t seed, std::initializer_list<std::string_view> names,
    std::initializer_list<std::uint64_t> numbers = {}) {
  std::uint64_t state = base::SplitMix64::mix(seed + 0x9e3779b97f4a7c15ULL);
  const auto absorb = [&state](std::uint64_t value) {
    state = base::SplitMix64::mix(state + 0x9e3779b97f4a7c15ULL + base::SplitMix64::mix(value + 1));
  };
  absorb(names.size());
  for (const std::string_view name : names) {
    absorb(name.size());
    for (const char c : name)
      absorb(static_cast<unsigned char>(c));
  }
  for (const std::uint64_t number : numbers)
    absorb(number);
  return state;
}

}  // namespace petlab::engine
