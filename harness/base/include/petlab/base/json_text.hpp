#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace petlab::base {

/// The most levels of brackets in JSON that petlab takes: nlohmann's values are copied and printed
/// by recursion, and no known file comes near.
inline constexpr int kMaxJsonDepth = 100;

/// The value of JSON that somebody else wrote, with or without a byte-order mark. Callers include
/// <nlohmann/json.hpp>, which this header is too widely used for.
/// Throws Error(data), one line that begins with `name`, for a pointer of Git LFS, UTF-16, brackets
/// that nest too deep, what is not JSON (with the byte, counted from 1), a key that stands twice in
/// one object and numbers that no double can hold. `hint` (what was expected, where to get it) ends
/// the sentences about the JSON itself.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, const std::string& name,
                                        const std::string& hint = {});

}  // namespace petlab::base
