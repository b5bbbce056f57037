#include "search_edge.hpp"

#include "petlab/base/numbers.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::study {
namespace {

/// Ascending, each once; empty where one is no number.
std::vector<double> numbers_of(const std::vector<std::string>& texts) {
  std::vector<double> numbers;
  for (const std::string& text : texts) {
    const auto number = base::parse_number<double>(text);
    if (!number) return {};
    numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

}  // namespace

GridEdge edge_of(const std::vector<std::string>& tried, const std::string& chosen) {
  const std::vector<double> numbers = numbers_of(tried);
  const auto value = base::parse_number<double>(chosen);
  if (numbers.size() < 2 || !value) return GridEdge::none;
  if (*value <= numbers.front()) return GridEdge::lowest;
  return *value >= numbers.back() ? GridEdge::highest : GridEdge::none;
}

std::optional<std::string> value_beyond(const std::vector<std::string>& tried, GridEdge edge,
                                        KeyKind kind) {
  const std::vector<double> numbers = numbers_of(tried);
  if (numbers.size() < 2 || edge == GridEdge::none || kind == KeyKind::words) return std::nullopt;
  const bool up = edge == GridEdge::highest;
  const double end = up ? numbers.back() : numbers.front();
  const double neighbour = up ? numbers[numbers.size() - 2] : numbers[1];
  if (end <= 0.0 || neighbour <= 0.0) return std::nullopt;
  const double next = end * (end / neighbour);
  if (kind == KeyKind::integers) {
    const double whole =
        up ? std::max(std::round(next), end + 1.0) : std::min(std::round(next), end - 1.0);
    if (whole < 1.0) return std::nullopt;
    return base::number_text(static_cast<std::int64_t>(std::llround(whole)));
  }
  const std::string text = rounded_text(next);
  const double written = base::parse_number<double>(text).value_or(end);
  const bool is_beyond = std::isfinite(written) && (up ? written > end : written < end);
  return is_beyond ? std::optional(text) : std::nullopt;
}

}  // namespace petlab::study
