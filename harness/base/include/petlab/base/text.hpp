#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::base {

/// Whether `text` is UTF-8 without control characters, so that it can stand in a prompt, a table, a
/// message and the store.
[[nodiscard]] bool is_plain_text(std::string_view text);

/// `text` with each byte that is no part of valid UTF-8, and each control character, as \xHH. Plain
/// text comes back as it is.
[[nodiscard]] std::string escaped(std::string_view text);

/// A path for a message of one line.
[[nodiscard]] std::string printable(const std::filesystem::path& path);

/// "a, b, c".
[[nodiscard]] std::string joined(const std::vector<std::string>& texts,
                                 std::string_view separator = ", ");

}  // namespace petlab::base
