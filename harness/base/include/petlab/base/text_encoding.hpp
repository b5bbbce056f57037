#pragma once

#include "petlab/base/error.hpp"

#include <string>
#include <string_view>

namespace petlab::base {

/// `bytes` of a text file without the byte-order mark that some editors put in front of UTF-8.
/// Throws Error(kind) that begins with `where` for UTF-16 and UTF-32, as other programs save text.
[[nodiscard]] std::string_view without_byte_order_mark(std::string_view bytes,
                                                       const std::string& where, ErrorKind kind);

}  // namespace petlab::base
