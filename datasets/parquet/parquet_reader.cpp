#include "parquet_reader.hpp"

#include <arrow/util/key_value_metadata.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <utility>

namespace petlab::datasets {
namespace {

/// Arrow's exceptions, and those of memory, as the one that the host expects.
template <class Work>
auto guarded(const Work& work) {
  try {
    return work();
  } catch (const std::exception& error) {
    throw std::runtime_error(error.what());
  }
}

ParquetColumn column_of(const parquet::ColumnDescriptor& column) {
  ParquetColumn result{.path = column.path()->ToDotString()};
  if (column.max_repetition_level() > 0) return result;  // a list is no single value
  switch (column.physical_type()) {
    case parquet::Type::INT32:
    case parquet::Type::INT64:
      result.type = ParquetColumn::Type::integer;
      break;
    case parquet::Type::BYTE_ARRAY:
      result.type = ParquetColumn::Type::bytes;
      result.is_text = column.logical_type() != nullptr && column.logical_type()->is_string();
      break;
    default:
      break;
  }
  return result;
}

std::string copy_of(const parquet::ByteArray& value) {
  return {reinterpret_cast<const char*>(value.ptr), value.len};
}
std::int64_t copy_of(std::int64_t value) {
  return value;
}
std::int64_t copy_of(std::int32_t value) {
  return value;
}

class ArrowReader : public ParquetReader {
 public:
  explicit ArrowReader(const char* file)
      : file_(parquet::ParquetFileReader::OpenFile(file, /*memory_map=*/false)) {}

  [[nodiscard]] std::vector<ParquetColumn> columns() const override {
    return guarded([&] {
      const parquet::SchemaDescriptor& schema = *file_->metadata()->schema();
      std::vector<ParquetColumn> columns;
      for (int i = 0; i < schema.num_columns(); ++i)
        columns.push_back(column_of(*schema.Column(i)));
      return columns;
    });
  }

  [[nodiscard]] std::optional<std::string> metadata(const std::string& key) const override {
    return guarded([&]() -> std::optional<std::string> {
      const auto pairs = file_->metadata()->key_value_metadata();
      const int at = pairs == nullptr ? -1 : pairs->FindKey(key);
      if (at < 0) return std::nullopt;
      return pairs->value(at);
    });
  }

  [[nodiscard]] std::vector<std::uint64_t> group_rows() const override {
    return guarded([&] {
      std::vector<std::uint64_t> rows;
      for (int group = 0; group < file_->metadata()->num_row_groups(); ++group)
        rows.push_back(static_cast<std::uint64_t>(file_->metadata()->RowGroup(group)->num_rows()));
      return rows;
    });
  }

  [[nodiscard]] std::vector<std::optional<std::int64_t>> integers(std::size_t group,
                                                                  std::size_t column) override {
    return guarded([&] {
      const auto reader = open(group, column);
      if (reader->type() == parquet::Type::INT32)
        return values<std::int64_t, parquet::Int32Reader, std::int32_t>(*reader);
      need(*reader, parquet::Type::INT64);
      return values<std::int64_t, parquet::Int64Reader, std::int64_t>(*reader);
    });
  }

  [[nodiscard]] std::vector<std::optional<std::string>> bytes(std::size_t group,
                                                              std::size_t column) override {
    return guarded([&] {
      const auto reader = open(group, column);
      need(*reader, parquet::Type::BYTE_ARRAY);
      return values<std::string, parquet::ByteArrayReader, parquet::ByteArray>(*reader);
    });
  }

 private:
  [[nodiscard]] std::shared_ptr<parquet::ColumnReader> open(std::size_t group, std::size_t column) {
    return file_->RowGroup(static_cast<int>(group))->Column(static_cast<int>(column));
  }

  static void need(const parquet::ColumnReader& reader, parquet::Type::type type) {
    if (reader.type() != type) throw std::runtime_error("a column has another type than it says");
  }

  template <class Value, class Reader, class Stored>
  static std::vector<std::optional<Value>> values(parquet::ColumnReader& column) {
    auto& reader = static_cast<Reader&>(column);
    const auto whole = column.descr()->max_definition_level();
    std::vector<std::optional<Value>> result;
    constexpr std::size_t kBatch = 256;
    std::array<std::int16_t, kBatch> levels{};
    std::array<Stored, kBatch> stored{};
    while (reader.HasNext()) {
      std::int64_t n_stored = 0;
      const std::int64_t n =
          reader.ReadBatch(kBatch, levels.data(), /*rep_levels=*/nullptr, stored.data(), &n_stored);
      if (n <= 0) throw std::runtime_error("a column ends before its row group does");
      std::size_t next = 0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        // A column without gaps has no levels.
        const bool is_there = whole == 0 || levels[i] == whole;
        if (is_there && next >= static_cast<std::size_t>(n_stored))
          throw std::runtime_error("a column has fewer values than it says");
        result.emplace_back(is_there ? std::optional<Value>(copy_of(stored[next++]))
                                     : std::nullopt);
      }
    }
    return result;
  }

  std::unique_ptr<parquet::ParquetFileReader> file_;
};

}  // namespace
}  // namespace petlab::datasets

/// See OpenParquet.
extern "C" __attribute__((visibility("default"))) petlab::datasets::ParquetReader*
petlab_open_parquet_1(const char* file) {
  return petlab::datasets::guarded([&]() -> petlab::datasets::ParquetReader* {
    return new petlab::datasets::ArrowReader(file);
  });
}
