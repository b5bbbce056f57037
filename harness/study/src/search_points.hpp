#pragma once

#include "petlab/results/record.hpp"
#include "petlab/study/protocol.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::sdk {
struct MethodEntry;
}

// Where a search looks: the spaces of a row, and the points in them.
namespace petlab::study {

/// Whether there is anything to train, for any length of time.
[[nodiscard]] bool trains(const sdk::MethodEntry& method);

/// The spaces of a row, with values in the place of factors. Nothing where it is not searched.
[[nodiscard]] std::vector<SearchSpace> row_spaces(const SearchSpec& search, const Row& row,
                                                  const sdk::MethodEntry& method);

/// Every combination of the spaces' values.
[[nodiscard]] std::vector<results::NamedValues> grid_points(const std::vector<SearchSpace>& spaces);

/// `count` different points, drawn by the seed and the method's name alone. Throws Error(config)
/// that begins with `where` for spaces that hold fewer.
[[nodiscard]] std::vector<results::NamedValues> drawn_points(const std::vector<SearchSpace>& spaces,
                                                             std::int64_t count, std::uint64_t seed,
                                                             const std::string& method,
                                                             const std::string& where);

/// Whether a searched key takes numbers, so that one value lies beyond another.
enum class KeyKind { words, integers, reals };
[[nodiscard]] KeyKind key_kind(const std::string& key, const sdk::MethodEntry& method);

/// Six digits: 3 times 0.0035 is 0.0105.
[[nodiscard]] std::string rounded_text(double value, const char* format = "%.6g");

}  // namespace petlab::study
