#pragma once

#include "petlab/base/read_file.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::datasets {

/// A row of a CSV file: its values in the order asked for, and the line it begins on.
struct CsvRow {
  std::vector<std::string> values;
  std::size_t line = 0;
};

/// Which columns a file has to have, and which may be in it; others are an error.
struct CsvColumns {
  std::vector<std::string> required;
  std::vector<std::string> optional = {};  ///< empty values where the file lacks the column
  bool others = false;                     ///< further columns are allowed, and left out
};

/// Reads a CSV file with a header line: RFC 4180, also with a byte-order mark, Unix or Windows line
/// ends, line breaks inside of quotes, and no line end at the end. Columns stand in any order; a
/// row's values are the required ones, then the optional ones, untouched. Throws base::Error(data)
/// naming file and line for: no header, missing, unknown or double columns, a row of another
/// length, quotes in the wrong place.
[[nodiscard]] std::vector<CsvRow> read_csv_rows(const std::filesystem::path& file,
                                                const CsvColumns& columns);

/// The same for bytes that were read from `file`.
[[nodiscard]] std::vector<CsvRow> parse_csv_rows(const std::vector<std::uint8_t>& bytes,
                                                 const std::filesystem::path& file,
                                                 const CsvColumns& columns);

/// The same for exactly the named columns.
template <std::size_t N>
[[nodiscard]] std::vector<std::array<std::string, N>> parse_csv(
    const std::vector<std::uint8_t>& bytes, const std::filesystem::path& file,
    const std::array<const char*, N>& columns) {
  std::vector<std::array<std::string, N>> rows;
  for (CsvRow& row : parse_csv_rows(bytes, file, {.required = {columns.begin(), columns.end()}})) {
    std::array<std::string, N>& values = rows.emplace_back();
    for (std::size_t i = 0; i < N; ++i)
      values[i] = std::move(row.values[i]);
  }
  return rows;
}

template <std::size_t N>
[[nodiscard]] std::vector<std::array<std::string, N>> read_csv(
    const std::filesystem::path& file, const std::array<const char*, N>& columns) {
  return parse_csv(base::read_file(file), file, columns);
}

/// `field` quoted if it needs quotes.
[[nodiscard]] std::string csv_field(const std::string& field);

}  // namespace petlab::datasets
