#include "petlab/datasets/tools/perceptual_hash.hpp"

#include "petlab/datasets/resize.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numbers>
#include <set>
#include <unordered_map>
#include <utility>

namespace petlab::datasets::tools {
namespace {

constexpr std::size_t kSide = 32;
constexpr std::size_t kLow = 8;

/// cos((2x + 1) k pi / 2N) for the frequencies k = 1..8.
const std::array<std::array<float, kSide>, kLow>& cosines() {
  static const auto table = [] {
    std::array<std::array<float, kSide>, kLow> values{};
    for (std::size_t k = 0; k < kLow; ++k)
      for (std::size_t x = 0; x < kSide; ++x)
        values[k][x] = static_cast<float>(std::cos((2.0 * static_cast<double>(x) + 1.0) *
                                                   static_cast<double>(k + 1) * std::numbers::pi /
                                                   (2.0 * static_cast<double>(kSide))));
    return values;
  }();
  return table;
}

std::array<float, kLow * kLow> low_frequencies(const Image& small) {
  const auto& cosine = cosines();
  std::array<std::array<float, kLow>, kSide> rows{};
  for (std::size_t y = 0; y < kSide; ++y)
    for (std::size_t x = 0; x < kSide; ++x) {
      const std::uint8_t* p = &small.rgb[(y * kSide + x) * 3];
      const float grey = 0.299F * p[0] + 0.587F * p[1] + 0.114F * p[2];
      for (std::size_t k = 0; k < kLow; ++k)
        rows[y][k] += grey * cosine[k][x];
    }
  std::array<float, kLow * kLow> low{};
  for (std::size_t j = 0; j < kLow; ++j)
    for (std::size_t y = 0; y < kSide; ++y)
      for (std::size_t k = 0; k < kLow; ++k)
        low[j * kLow + k] += rows[y][k] * cosine[j][y];
  return low;
}

/// Each pair of distinct hashes at most `distance` apart, as indices.
std::set<std::pair<std::size_t, std::size_t>> close_pairs(const std::vector<std::uint64_t>& hashes,
                                                          int distance) {
  std::set<std::pair<std::size_t, std::size_t>> pairs;
  const int bands = distance + 1;
  for (int band = 0; band < bands; ++band) {
    const int low = 64 * band / bands;
    const int width = 64 * (band + 1) / bands - low;
    const std::uint64_t mask = width == 64 ? ~0ULL : (1ULL << static_cast<unsigned>(width)) - 1;
    std::unordered_map<std::uint64_t, std::vector<std::size_t>> buckets;
    for (std::size_t i = 0; i < hashes.size(); ++i) {
      auto& bucket = buckets[(hashes[i] >> static_cast<unsigned>(low)) & mask];
      for (const std::size_t other : bucket)
        if (std::popcount(hashes[i] ^ hashes[other]) <= distance) pairs.emplace(other, i);
      bucket.push_back(i);
    }
  }
  return pairs;
}

}  // namespace

std::optional<std::uint64_t> perceptual_hash(const Image& image) {
  const auto side = static_cast<int>(kSide);
  const auto low = low_frequencies(resize_bicubic(image, side, side));
  const auto [least, most] = std::minmax_element(low.begin(), low.end());
  if (*most - *least < 1.0F) return std::nullopt;
  auto sorted = low;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  const float median = sorted[sorted.size() / 2];
  std::uint64_t hash = 0;
  for (std::size_t i = 0; i < low.size(); ++i)
    if (low[i] > median) hash |= 1ULL << i;
  return hash;
}

std::vector<NearPair> near_pairs(std::span<const std::optional<std::uint64_t>> hashes,
                                 int distance) {
  std::vector<NearPair> pairs;
  std::unordered_map<std::uint64_t, std::size_t> first_of;
  std::vector<std::uint64_t> distinct;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    if (!hashes[i]) continue;
    const auto [twin, fresh] = first_of.emplace(*hashes[i], i);
    if (fresh) {
      distinct.push_back(*hashes[i]);
      places.push_back(i);
    } else {
      pairs.push_back({twin->second, i, 0});
    }
  }
  for (const auto& [a, b] : close_pairs(distinct, distance))
    pairs.push_back({places[a], places[b], std::popcount(distinct[a] ^ distinct[b])});
  std::sort(pairs.begin(), pairs.end(), [](const NearPair& a, const NearPair& b) {
    return std::pair(a.first, a.second) < std::pair(b.first, b.second);
  });
  return pairs;
}

}  // namespace petlab::datasets::tools
