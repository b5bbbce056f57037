#pragma once

#include <vector>

namespace petlab::reports {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

/// An upright rectangle; y grows downwards.
struct Box {
  double left = 0.0;
  double top = 0.0;
  double width = 0.0;
  double height = 0.0;
};

/// Area that two boxes share.
double overlap(const Box& a, const Box& b);

/// Finds a box for the label of each point: near its point, inside `bounds`, and off the points,
/// the other labels and the `lines` (thin boxes, the least evil) as far as there is room. Widths
/// are those of the labels. Always the same answer for the same input.
std::vector<Box> place_labels(const std::vector<Point>& points, const std::vector<double>& widths,
                              double height, const Box& bounds, const std::vector<Box>& lines = {});

}  // namespace petlab::reports
