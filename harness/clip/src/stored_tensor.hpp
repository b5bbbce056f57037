#pragma once

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace petlab::clip {

/// A tensor as it lies in a file. Whoever fills this in has checked that all its elements lie
/// inside [offset, offset + bytes) of the file.
struct StoredTensor {
  std::string name;
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< in elements, none negative
  std::size_t offset = 0;             ///< in bytes from the start of the file; any alignment
  std::size_t bytes = 0;
};

/// Strides of a tensor whose elements lie row by row.
[[nodiscard]] std::vector<std::int64_t> row_strides(const std::vector<std::int64_t>& shape);

/// Product of the sizes. False when a size is negative or the product is beyond what 8-byte
/// elements in a 63-bit memory could be.
[[nodiscard]] bool count_elements(const std::vector<std::int64_t>& shape, std::uint64_t& count);

}  // namespace petlab::clip
