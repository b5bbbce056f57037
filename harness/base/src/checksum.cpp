#include "petlab/base/checksum.hpp"

#include <array>
#include <cstring>

namespace petlab::base {

std::uint64_t checksum(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kPrime = 0x100000001B3ULL;
  std::array<std::uint64_t, 4> lanes{0xCBF29CE484222325ULL, 1, 2, 3};
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      std::uint64_t word = 0;
      std::memcpy(&word, data + i + 8 * lane, 8);
      lanes[lane] = (lanes[lane] ^ word) * kPrime;
      lanes[lane] ^= lanes[lane] >> 29U;
    }
  }
  std::uint64_t total = size;
  for (; i < size; ++i)
    total = (total ^ data[i]) * kPrime;
  for (const std::uint64_t lane : lanes)
    total = (total ^ lane) * kPrime;
  return total | 1U;
}

}  // namespace petlab::base
