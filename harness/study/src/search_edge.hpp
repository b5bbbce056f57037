#pragma once

#include "search_points.hpp"

#include <optional>
#include <string>
#include <vector>

// The ends of what was tried for one key of a row.
namespace petlab::study {

enum class GridEdge { none, lowest, highest };

/// Where `chosen` stands among the values that were tried for a key: at an end of them, where they
/// are at least two different numbers.
[[nodiscard]] GridEdge edge_of(const std::vector<std::string>& tried, const std::string& chosen);

/// The value beyond an end of those that were tried: the end times its ratio to its neighbour,
/// rounded for integers and at least 1 away from it. Nothing where there is no such ratio (an end
/// or neighbour that is not above 0).
[[nodiscard]] std::optional<std::string> value_beyond(const std::vector<std::string>& tried,
                                                      GridEdge edge, KeyKind kind);

}  // namespace petlab::study
