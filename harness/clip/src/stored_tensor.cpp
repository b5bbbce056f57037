#include "stored_tensor.hpp"

#include <limits>

namespace petlab::clip {

std::vector<std::int64_t> row_strides(const std::vector<std::int64_t>& shape) {
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;)
    strides[i - 1] = strides[i] * shape[i];
  return strides;
}

bool count_elements(const std::vector<std::int64_t>& shape, std::uint64_t& count) {
  constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 8;
  // Empty tensors, too, must have strides that can be computed.
  count = 1;
  bool is_empty = false;
  for (const std::int64_t side : shape) {
    is_empty = is_empty || side == 0;
    if (side < 0 ||
        __builtin_mul_overflow(count, static_cast<std::uint64_t>(side == 0 ? 1 : side), &count) ||
        count > kLimit)
      return false;
  }
  if (is_empty) count = 0;
  return true;
}

}  // namespace petlab::clip
