#include "petlab/base/text.hpp"

#include "petlab/base/numbers.hpp"

#include <algorithm>

namespace petlab::base {
namespace {

/// Bytes of the character at the start of `text`, which is not empty; 0 when it is a control
/// character or no UTF-8 (Unicode 15, table 3-7).
std::size_t plain_character(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return first < 0x20 || first == 0x7F ? 0 : 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xC0U) != 0x80U) return 0;
  const unsigned second = byte(1);
  const bool is_longer_than_needed =
      (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool is_surrogate = first == 0xED && second >= 0xA0;
  const bool is_too_large = first == 0xF4 && second >= 0x90;
  const bool is_control = first == 0xC2 && second < 0xA0;
  return is_longer_than_needed || is_surrogate || is_too_large || is_control ? 0 : length;
}

}  // namespace

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = plain_character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string escaped(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string result;
  while (!text.empty()) {
    const std::size_t length = plain_character(text);
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text.front());
      result.append("\\x").append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 15U]);
    } else {
      result += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return result;
}

std::string message_line(std::string_view text, std::size_t max_bytes) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
    text.remove_suffix(1);
  std::string_view shown = text.substr(0, max_bytes);
  // Not in the midst of a character.
  for (int i = 0; i < 3 && shown.size() < text.size() && !shown.empty() &&
                  (static_cast<unsigned char>(text[shown.size()]) & 0xC0U) == 0x80U;
       ++i)
    shown.remove_suffix(1);
  std::string line(shown);
  std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  line = escaped(line);
  if (shown.size() < text.size())
    line += " ... (" + std::to_string(text.size() - shown.size()) + " more bytes)";
  return line;
}

std::string spreadsheet_text(std::string_view text) {
  constexpr std::string_view kStarts = "=+-@\t\r\n";
  std::string cell(text);
  if (text.empty() || kStarts.find(text.front()) == std::string_view::npos) return cell;
  const std::string_view digits = text.front() == '+' ? text.substr(1) : text;
  return parse_number<double>(digits) ? cell : "'" + cell;
}

std::string printable(const std::filesystem::path& path) {
  return escaped(path.native());
}

std::string short_hash(std::string_view hash) {
  constexpr std::size_t kShownDigits = 12;
  return std::string(hash.substr(0, kShownDigits));
}

std::string joined(const std::vector<std::string>& texts, std::string_view separator) {
  std::string all;
  for (const std::string& text : texts) {
    if (!all.empty()) all += separator;
    all += text;
  }
  return all;
}

}  // namespace petlab::base
