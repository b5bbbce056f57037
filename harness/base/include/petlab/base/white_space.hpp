#pragma once

#include <cstdint>

namespace petlab::base {

/// Unicode's property White_Space of a character, which is what \s means in CLIP's pattern.
[[nodiscard]] constexpr bool is_white_space(std::int32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

}  // namespace petlab::base
