#include "numbers.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace petlab::reports {
namespace {

TEST(Numbers, RoundHalvesAwayFromZeroInDecimal) {
  EXPECT_EQ(fixed(99.95, 1), "100.0");
  EXPECT_EQ(fixed(100.0 * (1999.0 / 2000.0), 1), "100.0");
  EXPECT_EQ(fixed(99.949, 1), "99.9");
  EXPECT_EQ(fixed(0.05, 1), "0.1");
  EXPECT_EQ(fixed(0.15, 1), "0.2");
  EXPECT_EQ(fixed(0.25, 1), "0.3");
  EXPECT_EQ(fixed(1.005, 2), "1.01");
  EXPECT_EQ(fixed(2.675, 2), "2.68");
  EXPECT_EQ(fixed(-0.25, 1), "-0.3");
  EXPECT_EQ(fixed(54.5, 0), "55");
}

TEST(Numbers, WriteProbabilitiesWithoutRoundingThemOntoTheLimit) {
  EXPECT_EQ(p_text(0.0), "p < 0.001");
  EXPECT_EQ(p_text(0.0123), "p = 0.012");
  EXPECT_EQ(p_text(0.04996), "p = 0.0500");
  EXPECT_EQ(p_text(0.0496), "p = 0.0496");
  EXPECT_EQ(p_text(0.0504), "p = 0.0504");
  EXPECT_EQ(p_text(0.0948), "p = 0.095");
  EXPECT_EQ(p_text(0.234), "p = 0.23");
  EXPECT_EQ(p_text(1.0), "p = 1.00");
}

TEST(Numbers, AreNeverMinusZero) {
  EXPECT_EQ(fixed(-0.04, 1), "0.0");
  EXPECT_EQ(signed_fixed(-0.04, 1), "0.0");
  EXPECT_EQ(signed_fixed(0.004, 2), "0.00");
  EXPECT_EQ(signed_fixed(1.25, 1), "+1.3");
  EXPECT_EQ(signed_fixed(-1.25, 1), "-1.3");
}

TEST(Numbers, GroupTheirDigits) {
  EXPECT_EQ(grouped_digits(0), "0");
  EXPECT_EQ(grouped_digits(999), "999");
  EXPECT_EQ(grouped_digits(1000), "1,000");
  EXPECT_EQ(grouped_digits(123456789), "123,456,789");
  EXPECT_EQ(grouped_digits(-1000), "-1,000");
  EXPECT_EQ(grouped_digits(-100), "-100");
}

TEST(Numbers, TakeAsManyPlacesAsTheirSizeNeeds) {
  EXPECT_EQ(percent(0.0), "0");
  EXPECT_EQ(percent(0.01234), "0.0123");
  EXPECT_EQ(percent(0.4567), "0.46");
  EXPECT_EQ(percent(12.34), "12.3");
  EXPECT_EQ(percent(400.0), "400");
  EXPECT_EQ(seconds(0.44), "0.4");
  EXPECT_EQ(seconds(254.4), "254");
}

TEST(Numbers, SayOperationsInTheUnitOfTheirSize) {
  EXPECT_EQ(operations(0), "0 FLOPs");
  EXPECT_EQ(operations(999), "999 FLOPs");
  EXPECT_EQ(operations(999.6), "1.00 kFLOPs");
  EXPECT_EQ(operations(33.72e9), "33.7 GFLOPs");
  EXPECT_EQ(operations(9.996e6), "10.0 MFLOPs");
  EXPECT_EQ(operations(4.2e16), "42000 TFLOPs");
}

TEST(Numbers, ReadBackExactlyFromCsv) {
  for (const double value : {0.1, 1.0 / 3.0, 1e-9, 12345.678}) {
    EXPECT_EQ(std::stod(exact(value)), value);
  }
  EXPECT_EQ(exact(0.7), "0.7");
}

TEST(Numbers, CountCodePointsAsColumns) {
  EXPECT_EQ(display_width("mean"), 4);
  EXPECT_EQ(display_width("Δ ± –"), 5);
}

TEST(Numbers, MillionsHaveThreeDigitsThatCount) {
  EXPECT_EQ(millions(0), "0");
  EXPECT_EQ(millions(512), "0.000512");
  EXPECT_EQ(millions(2048), "0.00205");
  EXPECT_EQ(millions(123'456), "0.123");
  EXPECT_EQ(millions(4'077'825), "4.08");
  EXPECT_EQ(millions(16'311'300), "16.3");
  EXPECT_EQ(millions(1'234'567'890), "1235");
}

}  // namespace
}  // namespace petlab::reports
