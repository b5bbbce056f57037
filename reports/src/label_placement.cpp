#include "label_placement.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace petlab::reports {
namespace {

constexpr double kMarkerRadius = 7.0;
constexpr int kSweeps = 6;
constexpr double kPi = 3.14159265358979323846;

// Costs are areas in square pixels; the weights say how many of them an evil is worth.
constexpr double kOverlapWeight = 8.0;
constexpr double kMarkerWeight = 8.0;
constexpr double kLineWeight = 5.0;
constexpr double kOutsideWeight = 20.0;
constexpr double kDistanceWeight = 0.5;
constexpr double kRoom = 2.0;  // wanted between two labels

Box marker_box(const Point& point) {
  return {point.x - kMarkerRadius, point.y - kMarkerRadius, 2 * kMarkerRadius, 2 * kMarkerRadius};
}

// A label in the direction `angle` whose nearest edge is `gap` away from the point.
Box candidate(const Point& point, double width, double height, double angle, double gap) {
  const double x = std::cos(angle);
  const double y = std::sin(angle);
  const double center_x = point.x + x * (gap + width / 2);
  const double center_y = point.y + y * (gap + height / 2);
  return {center_x - width / 2, center_y - height / 2, width, height};
}

std::vector<Box> candidates_for(const Point& point, double width, double height) {
  constexpr int kDirections = 24;
  std::vector<Box> boxes;
  for (const double gap : {9.0, 15.0, 24.0, 36.0, 52.0, 72.0, 96.0, 124.0, 156.0}) {
    for (int i = 0; i < kDirections; ++i) {
      boxes.push_back(candidate(point, width, height, 2 * kPi * i / kDirections, gap));
    }
  }
  return boxes;
}

double distance(const Box& box, const Point& point) {
  const double x = std::max({box.left - point.x, 0.0, point.x - box.left - box.width});
  const double y = std::max({box.top - point.y, 0.0, point.y - box.top - box.height});
  return std::hypot(x, y);
}

Box widened(const Box& box) {
  return {box.left - kRoom, box.top - kRoom, box.width + 2 * kRoom, box.height + 2 * kRoom};
}

double outside(const Box& box, const Box& bounds) {
  return box.width * box.height - overlap(box, bounds);
}

}  // namespace

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
  const double height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
  return width > 0.0 && height > 0.0 ? width * height : 0.0;
}

std::vector<Box> place_labels(const std::vector<Point>& points, const std::vector<double>& widths,
                              double height, const Box& bounds, const std::vector<Box>& lines) {
  std::vector<Box> placed(points.size());
  std::vector<bool> is_placed(points.size(), false);
  const auto cost = [&](std::size_t label, const Box& box) {
    double sum = kOutsideWeight * outside(box, bounds) +
                 kDistanceWeight * height * distance(box, points[label]);
    for (const Box& line : lines)
      sum += kLineWeight * overlap(box, line);
    for (std::size_t i = 0; i < points.size(); ++i) {
      sum += kMarkerWeight * overlap(box, marker_box(points[i]));
      if (i != label && is_placed[i]) sum += kOverlapWeight * overlap(widened(box), placed[i]);
    }
    return sum;
  };
  // Each sweep moves every label to its best place given the others.
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (std::size_t label = 0; label < points.size(); ++label) {
      double best = std::numeric_limits<double>::infinity();
      Box choice;
      for (const Box& box : candidates_for(points[label], widths[label], height)) {
        const double price = cost(label, box);
        if (price < best) {
          best = price;
          choice = box;
        }
      }
      placed[label] = choice;
      is_placed[label] = true;
    }
  }
  return placed;
}

}  // namespace petlab::reports
