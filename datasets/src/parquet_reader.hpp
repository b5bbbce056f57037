#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What petlab asks of a Parquet file. Apache Arrow answers, from a library of its own
// (datasets/parquet) that is loaded when the first Parquet file is opened: without one it is not in
// the process, and petlab builds without it.
namespace petlab::datasets {

/// A column of values, named by its path: "label", "image.bytes".
struct ParquetColumn {
  enum class Type : std::uint8_t { integer, bytes, other };
  std::string path;
  Type type = Type::other;
  bool is_text = false;  ///< bytes that are said to be UTF-8
};

/// An open file. Not for several threads at once. Everything throws std::runtime_error with the
/// library's reason for a file that is not whole.
class ParquetReader {
 public:
  virtual ~ParquetReader() = default;

  [[nodiscard]] virtual std::vector<ParquetColumn> columns() const = 0;
  /// What the file says of itself under `key`; nothing where it says nothing.
  [[nodiscard]] virtual std::optional<std::string> metadata(const std::string& key) const = 0;
  /// Rows of each row group.
  [[nodiscard]] virtual std::vector<std::uint64_t> group_rows() const = 0;
  /// A column of a row group, of type integer and of type bytes; nothing where a row has no value.
  [[nodiscard]] virtual std::vector<std::optional<std::int64_t>> integers(std::size_t group,
                                                                          std::size_t column) = 0;
  [[nodiscard]] virtual std::vector<std::optional<std::string>> bytes(std::size_t group,
                                                                      std::size_t column) = 0;
};

/// The library's one function, exported as kOpenParquet: opens `file`, which the caller owns.
using OpenParquet = ParquetReader* (*)(const char* file);
inline constexpr const char* kOpenParquet = "petlab_open_parquet_1";

}  // namespace petlab::datasets
