#include "added_tokens.hpp"

#include "petlab/base/white_space.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <utility>

namespace petlab::clip {

namespace {

/// \w of a regular expression.
bool is_word_character(utf8proc_int32_t character) {
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_PC:
      return true;
    default:
      return character == 0x200C || character == 0x200D;  // the joiners
  }
}

bool begins_with_word(std::string_view text) {
  utf8proc_int32_t character = -1;
  if (text.empty()) return false;
  utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &character);
  return character >= 0 && is_word_character(character);
}

bool ends_with_word(std::string_view text) {
  std::size_t start = text.size();
  while (start > 0 && (static_cast<unsigned char>(text[start - 1]) & 0xC0U) == 0x80U)
    --start;
  return start > 0 && begins_with_word(text.substr(start - 1));
}

}  // namespace

std::string with_single_blanks(std::string_view text) {
  std::string result;
  bool was_blank = false;
  while (!text.empty()) {
    utf8proc_int32_t character = -1;
    const utf8proc_ssize_t size =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                         static_cast<utf8proc_ssize_t>(text.size()), &character);
    const auto length = static_cast<std::size_t>(size > 0 ? size : 1);
    const bool is_blank = base::is_white_space(character);
    if (!is_blank)
      result += text.substr(0, length);
    else if (!was_blank)
      result += ' ';
    was_blank = is_blank;
    text.remove_prefix(length);
  }
  return result;
}

void AddedTokens::add(std::string content, std::int32_t id, bool is_single_word) {
  if (content.empty()) return;
  tokens_.push_back({std::move(content), id, is_single_word});
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const Token& a, const Token& b) {
    return a.content.size() > b.content.size();
  });
}

std::vector<AddedTokens::Piece> AddedTokens::split(std::string_view text) const {
  std::vector<Piece> pieces;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto token = std::find_if(tokens_.begin(), tokens_.end(), [&](const Token& one) {
      return text.substr(at).starts_with(one.content);
    });
    if (token == tokens_.end()) {
      ++at;
      continue;
    }
    const std::size_t end = at + token->content.size();
    if (!token->is_single_word ||
        (!ends_with_word(text.substr(0, at)) && !begins_with_word(text.substr(end)))) {
      if (at > done) pieces.push_back({text.substr(done, at - done), -1});
      pieces.push_back({text.substr(at, end - at), token->id});
      done = end;
    }
    at = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), -1});
  return pieces;
}

}  // namespace petlab::clip
