#include "names.hpp"

#include "petlab/base/white_space.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace petlab::datasets {
namespace {

/// Kinds of characters that CLIP's pattern parts from each other.
enum class Kind { blank, letter, number, other };

Kind kind_of(utf8proc_int32_t character) {
  if (base::is_white_space(character)) return Kind::blank;
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return Kind::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return Kind::number;
    default:
      return Kind::other;
  }
}

/// Composed characters, each in lower case; '_' is a blank. A name that is no UTF-8 is left as its
/// bytes: it is refused elsewhere.
std::u32string characters_of(std::string_view name) {
  std::u32string result;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(name.data());
  utf8proc_uint8_t* composed = nullptr;
  const utf8proc_ssize_t size =
      utf8proc_map(bytes, static_cast<utf8proc_ssize_t>(name.size()), &composed,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) {
    for (const char c : name)
      result += static_cast<unsigned char>(c);
    return result;
  }
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(composed, std::free);
  for (utf8proc_ssize_t at = 0; at < size;) {
    utf8proc_int32_t character = 0;
    at += utf8proc_iterate(composed + at, size - at, &character);
    const utf8proc_int32_t lower = utf8proc_tolower(character);
    result += static_cast<char32_t>(lower == '_' ? ' ' : lower);
  }
  return result;
}

void append(std::string& text, char32_t character) {
  utf8proc_uint8_t bytes[4];
  const utf8proc_ssize_t size =
      utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes);
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

/// The characters, with a blank for blanks and wherever `parts` says so of two neighbours.
template <class Parts>
std::string with_blanks(std::string_view name, const Parts& parts) {
  std::string text;
  Kind last = Kind::blank;
  for (const char32_t character : characters_of(name)) {
    const Kind kind = kind_of(static_cast<utf8proc_int32_t>(character));
    const bool begins =
        kind != Kind::blank && !text.empty() && (last == Kind::blank || parts(last, kind));
    if (begins) text += ' ';
    if (kind != Kind::blank) append(text, character);
    last = kind;
  }
  return text;
}

}  // namespace

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string name_key(std::string_view name) {
  std::string key = lower_case(std::string(name));
  std::erase_if(key, [](char c) { return c == ' ' || c == '_' || c == '-'; });
  return key;
}

std::string folded_name(std::string_view name) {
  return with_blanks(name, [](Kind, Kind) { return false; });
}

std::string prompt_words(std::string_view name) {
  // Numbers are split into their digits.
  return with_blanks(name, [](Kind a, Kind b) { return a != b || b == Kind::number; });
}

std::string display_name(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace petlab::datasets
