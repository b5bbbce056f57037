#pragma once

#include <c10/core/ScalarType.h>

#include <array>
#include <string_view>

namespace petlab::clip {

/// The element types of safetensors that have a torch type of the same bits.
struct SafetensorsType {
  std::string_view name;
  at::ScalarType type;
};

inline constexpr std::array<SafetensorsType, 8> kSafetensorsTypes{{
    {"F64", at::kDouble},
    {"F32", at::kFloat},
    {"F16", at::kHalf},
    {"BF16", at::kBFloat16},
    {"I64", at::kLong},
    {"I32", at::kInt},
    {"U8", at::kByte},
    {"BOOL", at::kBool},
}};

}  // namespace petlab::clip
