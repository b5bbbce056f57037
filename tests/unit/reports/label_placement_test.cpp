#include "label_placement.hpp"

#include <gtest/gtest.h>

namespace petlab::reports {
namespace {

constexpr Box kBounds{0, 0, 800, 400};

TEST(LabelPlacement, MeasuresOverlap) {
  EXPECT_EQ(overlap({0, 0, 10, 10}, {5, 5, 10, 10}), 25.0);
  EXPECT_EQ(overlap({0, 0, 10, 10}, {10, 0, 10, 10}), 0.0);
}

TEST(LabelPlacement, KeepsTheLabelsOfCrowdedPointsApart) {
  std::vector<Point> points;
  std::vector<double> widths;
  for (int i = 0; i < 12; ++i) {  // three heaps of four points, a few pixels apart
    points.push_back({100.0 + 250.0 * (i % 3) + 4.0 * i, 200.0 + 3.0 * i});
    widths.push_back(90.0);
  }
  const std::vector<Box> boxes = place_labels(points, widths, 14.0, kBounds);
  ASSERT_EQ(boxes.size(), points.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_NEAR(overlap(boxes[i], kBounds), 90.0 * 14.0, 1e-6) << "label " << i << " sticks out";
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_LT(overlap(boxes[i], boxes[j]), 1.0) << i << " " << j;
  }
}

TEST(LabelPlacement, KeepsLabelsOfPointsInCornersInside) {
  const std::vector<Box> boxes = place_labels({{2, 2}, {798, 398}}, {120.0, 120.0}, 14.0, kBounds);
  for (const Box& box : boxes)
    EXPECT_NEAR(overlap(box, kBounds), 120.0 * 14.0, 1e-6);
}

}  // namespace
}  // namespace petlab::reports
