#include "petlab/base/checksum.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace petlab::base {
namespace {

TEST(Checksum, IsNeverZero) {
  EXPECT_NE(checksum(nullptr, 0), 0U);
  const std::vector<std::uint8_t> zeros(100);
  EXPECT_NE(checksum(zeros.data(), zeros.size()), 0U);
}

TEST(Checksum, SeesEveryChangedByteAndALostOne) {
  std::vector<std::uint8_t> bytes(77);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(3 * i);
  const std::uint64_t whole = checksum(bytes.data(), bytes.size());
  EXPECT_EQ(checksum(bytes.data(), bytes.size()), whole);
  for (std::uint8_t& byte : bytes) {
    byte ^= 0x10U;
    EXPECT_NE(checksum(bytes.data(), bytes.size()), whole);
    byte ^= 0x10U;
  }
  EXPECT_NE(checksum(bytes.data(), bytes.size() - 1), whole);
}

}  // namespace
}  // namespace petlab::base
