#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace petlab::base {

/// SplitMix64 (Steele, Lea and Flood, 2014): small, fast, the same numbers with every compiler and
/// library, which std::shuffle and the distributions of <random> are not.
class SplitMix64 {
 public:
  explicit constexpr SplitMix64(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15ULL;
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
  constexpr double uniform() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }

  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

/// Fisher-Yates.
template <typename T>
void shuffle(std::vector<T>& values, SplitMix64& generator) {
  for (std::size_t i = values.size(); i > 1; --i) {
    std::swap(values[i - 1], values[static_cast<std::size_t>(generator.below(i))]);
  }
}

/// FNV-1a, to give each name its own stream of numbers.
constexpr std::uint64_t hash_name(std::string_view name,
                                  std::uint64_t start = 0xCBF29CE484222325ULL) {
  for (const char c : name) {
    start = (start ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  }
  return start;
}

}  // namespace petlab::base
