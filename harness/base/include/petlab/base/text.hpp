#pragma once

#include <cstddef>
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

/// Anybody's text (a plugin's, a file's) for a message of one line: escaped(), with blanks for the
/// ends of lines, and cut behind `max_bytes` with a word on how much is left out.
[[nodiscard]] std::string message_line(std::string_view text, std::size_t max_bytes = 2000);

/// A text for a cell of a CSV file that people open in a spreadsheet: with an apostrophe in front
/// where it would be taken for a formula there (it begins with =, +, -, @, a tab or a line end and
/// is no number).
[[nodiscard]] std::string spreadsheet_text(std::string_view text);

/// A path for a message of one line.
[[nodiscard]] std::string printable(const std::filesystem::path& path);

/// The first digits of a hash, which messages and tables show.
[[nodiscard]] std::string short_hash(std::string_view hash);

/// "a, b, c".
[[nodiscard]] std::string joined(const std::vector<std::string>& texts,
                                 std::string_view separator = ", ");

}  // namespace petlab::base
