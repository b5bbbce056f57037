#include "petlab/base/numbers.hpp"

#include <gtest/gtest.h>

#include <cstdint>

namespace petlab::base {
namespace {

TEST(NumberText, ReadsBackAsTheSameNumber) {
  EXPECT_EQ(number_text(0.1), "0.1");
  EXPECT_EQ(number_text(0.1F), "0.1");
  EXPECT_EQ(number_text(1e-5), "1e-05");
  EXPECT_EQ(number_text(-3), "-3");
  EXPECT_EQ(parse_number<double>(number_text(1.0 / 3.0)), 1.0 / 3.0);
}

TEST(ParseNumber, TakesTheWholeTextOrNothing) {
  EXPECT_EQ(parse_number<std::int64_t>("12"), 12);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"), 18446744073709551615ULL);
  for (const char* bad : {"", " 1", "1 ", "1x", "+1", "0x1"})
    EXPECT_EQ(parse_number<std::int64_t>(bad), std::nullopt) << bad;
  EXPECT_EQ(parse_number<std::int64_t>("9223372036854775808"), std::nullopt);
  EXPECT_EQ(parse_number<std::uint64_t>("-1"), std::nullopt);
  EXPECT_EQ(parse_number<double>("1.5e-3"), 1.5e-3);
  EXPECT_EQ(parse_number<double>("1,5"), std::nullopt);
}

}  // namespace
}  // namespace petlab::base
