#pragma once

#include "parquet_reader.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

// Which columns of a Parquet file are image, label and domain.
namespace petlab::datasets {

/// A column of class names: numbers of `names`, or the names themselves where `names` is empty.
struct NamedColumn {
  std::size_t index = 0;  ///< into ParquetReader::columns()
  std::string name;
  std::vector<std::string> names = {};
};

struct ParquetColumns {
  std::string image_bytes;                ///< path of the bytes' column
  std::optional<std::size_t> image_path;  ///< column of the images' names
  NamedColumn label;
  std::optional<NamedColumn> domain;
};

/// By the features that Hugging Face's `datasets` keeps in the metadata `huggingface` (Image,
/// ClassLabel), else by what the columns hold: a struct of bytes and path, a text called label.
/// Throws base::Error(data) that begins with `where` and says which columns there are, when none or
/// several may be meant, for numbers without names, and for class names that are doubled.
[[nodiscard]] ParquetColumns find_parquet_columns(const ParquetReader& reader,
                                                  const std::string& where);

}  // namespace petlab::datasets
