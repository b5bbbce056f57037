#pragma once

#include <string>
#include <string_view>

namespace petlab::base {

/// The bytes in base64, with padding (RFC 4648).
[[nodiscard]] std::string base64(std::string_view bytes);

}  // namespace petlab::base
