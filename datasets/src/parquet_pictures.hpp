#pragma once

#include "parquet_reader.hpp"
#include "petlab/datasets/dataset.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

// Pictures that are rows of a Parquet file.
namespace petlab::datasets {

/// Opens a file. Throws base::Error(data) naming it when it cannot be read, is no Parquet file, is
/// cut short or a pointer of Git LFS; base::Error(config) where this petlab was built without
/// Parquet.
[[nodiscard]] std::unique_ptr<ParquetReader> open_parquet(const std::filesystem::path& file);

/// Runs `work`, whose std::runtime_error becomes a base::Error(data) that names the file.
void with_parquet(const std::filesystem::path& file, const std::function<void()>& work);

/// The bytes of a sample of kind row. Throws base::Error(data) naming file and row.
[[nodiscard]] std::vector<std::uint8_t> read_parquet_picture(const Sample& sample);

}  // namespace petlab::datasets
