#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace petlab::clip {

/// A text of a file as a message may show it: control characters and broken UTF-8 as '?', cut
/// after 100 bytes.
[[nodiscard]] std::string shown(std::string_view text);

/// Throws Error(data): "'FILE' WHAT".
[[noreturn]] void refuse_file(const std::filesystem::path& file, const std::string& what);

}  // namespace petlab::clip
