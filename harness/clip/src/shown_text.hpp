#pragma once

#include <string>
#include <string_view>

namespace petlab::clip {

/// A text of a file as a message may show it: control characters and broken UTF-8 as '?', cut
/// after 100 bytes.
[[nodiscard]] std::string shown(std::string_view text);

}  // namespace petlab::clip
