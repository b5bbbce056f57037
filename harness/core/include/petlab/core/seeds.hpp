#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace petlab::core {

/// SplitMix64: small, fast, the same numbers with every compiler and library (std::shuffle and the
/// distributions of <random> are not).
class Random {
 public:
  explicit constexpr Random(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix(state_);
  }

  /// Uniform in 0 .. bound - 1, without bias. `bound` > 0.
  constexpr std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t unfair = (0 - bound) % bound;  // 2^64 mod bound: first values to pass over
    std::uint64_t value = next();
    while (value < unfair)
      value = next();
    return value % bound;
  }

  /// Uniform in [0, 1), in steps of 2^-53.
  constexpr double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

/// The seed of one purpose in a run, e.g. derive_seed(seed, {"adapter", "task", "clipart"}). The
/// names keep the purposes apart: no order of calls, no number of tasks and no other purpose has a
/// part in it, so that a task alone gets what it gets among others.
[[nodiscard]] constexpr std::uint64_t derive_seed(
    std::uint64_t seed, std::initializer_list<std::string_view> names,
    std::initializer_list<std::uint64_t> numbers = {}) {
  std::uint64_t state = Random::mix(seed + 0x9e3779b97f4a7c15ULL);
  const auto absorb = [&state](std::uint64_t value) {
    state = Random::mix(state + 0x9e3779b97f4a7c15ULL + Random::mix(value + 1));
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

}  // namespace petlab::core
