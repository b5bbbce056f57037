#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace petlab::datasets {

/// SplitMix64 (Steele, Lea and Flood, 2014). Own code, because the standard library's shuffles and
/// distributions give other numbers in other implementations.
class SplitMix64 {
 public:
  explicit SplitMix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  /// Uniform in [0, bound), without bias; bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t reject = (0 - bound) % bound;  // 2^64 mod bound
    std::uint64_t value = next();
    while (value < reject)
      value = next();
    return value % bound;
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

}  // namespace petlab::datasets
