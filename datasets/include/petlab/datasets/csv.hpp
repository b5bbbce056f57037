#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::datasets {

/// Reads a CSV file with a header line (RFC 4180 quoting, no line breaks inside a field). The file
/// must have exactly the named columns, in any order; a row holds its values in the order asked
/// for, and row i is on line i + 2. N = 2, 3, 4 or 5. Throws sdk::Error(data) naming file and line.
template <std::size_t N>
[[nodiscard]] std::vector<std::array<std::string, N>> read_csv(
    const std::filesystem::path& file, const std::array<const char*, N>& columns);

/// `field` quoted if it needs quotes.
[[nodiscard]] std::string csv_field(const std::string& field);

}  // namespace petlab::datasets
