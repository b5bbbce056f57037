#include "unicode_text.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/white_space.hpp"
#include "unicode_tables.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

namespace petlab::clip {

namespace {

enum class CharacterKind { space, letter, number, other };

struct Character {
  std::int32_t code = 0;
  std::size_t size = 0;  // bytes
};

/// The character at the front of valid UTF-8.
Character first_character(std::string_view text) {
  std::int32_t code = 0;
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                     static_cast<utf8proc_ssize_t>(text.size()), &code);
  return {code, static_cast<std::size_t>(std::max<utf8proc_ssize_t>(size, 1))};
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// The entry of a sorted table whose first..last holds the character, or nothing.
template <class Entry>
const Entry* entry_of(std::span<const Entry> table, std::int32_t code) {
  const auto behind =
      std::upper_bound(table.begin(), table.end(), code,
                       [](std::int32_t c, const Entry& entry) { return c < entry.first; });
  if (behind == table.begin()) return nullptr;
  const Entry& entry = *(behind - 1);
  return code <= entry.last ? &entry : nullptr;
}

CharacterKind kind_of(std::int32_t code) {
  if (base::is_white_space(code)) return CharacterKind::space;
  if (entry_of(letters(), code) != nullptr) return CharacterKind::letter;
  return entry_of(numbers(), code) != nullptr ? CharacterKind::number : CharacterKind::other;
}

std::int32_t small_form(std::int32_t code) {
  const SmallForms* run = entry_of(small_forms(), code);
  return run != nullptr && (code - run->first) % run->step == 0 ? code + run->distance : code;
}

/// Length of the longest prefix that could begin a character: what one U+FFFD stands for.
std::size_t broken_prefix(std::string_view text) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const unsigned lead = byte(0);
  std::size_t length = 1;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  // The second byte has a narrower range behind some lead bytes (overlong forms, surrogates).
  const unsigned low = lead == 0xE0 ? 0xA0U : lead == 0xF0 ? 0x90U : 0x80U;
  const unsigned high = lead == 0xED ? 0x9FU : lead == 0xF4 ? 0x8FU : 0xBFU;
  std::size_t good = 1;
  while (good < length && byte(good) >= (good == 1 ? low : 0x80U) &&
         byte(good) <= (good == 1 ? high : 0xBFU))
    ++good;
  return good;
}

/// NFC by utf8proc.
std::string compose_known(std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &mapped,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  if (size < 0)
    throw base::Error(base::ErrorKind::internal,
                      std::string("a text could not be normalised: ") + utf8proc_errmsg(size));
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

/// True where the text can be cut for the normalisation, as nothing moves across this character or
/// composes with it: it is younger than the reference's tables, or it is the vowel U+11A7, which
/// utf8proc takes for a final consonant of no sound and drops.
bool parts_text(std::int32_t code) {
  constexpr std::int32_t kVowelBeforeFinals = 0x11A7;
  return code == kVowelBeforeFinals || entry_of(young_characters(), code) != nullptr;
}

/// NFC as the reference does it.
std::string compose(std::string_view text) {
  std::string result;
  std::size_t at = 0;
  while (at < text.size()) {
    const Character character = first_character(text.substr(at));
    if (!parts_text(character.code)) {
      at += character.size;
      continue;
    }
    result += compose_known(text.substr(0, at));
    result += text.substr(at, character.size);
    text.remove_prefix(at + character.size);
    at = 0;
  }
  return result.append(compose_known(text));
}

/// The start and end token have alternatives of their own in the pattern. They are met here only
/// when written in capitals, as those in small letters are cut out before.
constexpr std::array<std::array<std::string_view, 3>, 2> kMarks{
    {{"<|", "startoftext", "|>"}, {"<|", "endoftext", "|>"}}};

constexpr std::array<std::string_view, 7> kContractions{"'s", "'t",  "'re", "'ve",
                                                        "'m", "'ll", "'d"};

}  // namespace

std::string valid_utf8(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  std::string result;
  while (!text.empty()) {
    std::int32_t code = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &code);
    const std::size_t used = size > 0 ? static_cast<std::size_t>(size) : broken_prefix(text);
    result += size > 0 ? text.substr(0, used) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(used);
  }
  return result;
}

namespace {

/// White space of Python's str.
bool is_python_space(std::int32_t code) {
  return base::is_white_space(code) || (code >= 0x1C && code <= 0x1F);
}

void append_character(std::int32_t code, std::string& text) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const auto size = utf8proc_encode_char(code, bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
}

void append_small(std::int32_t code, std::string& text) {
  // The one letter whose small form is two characters: i with its dot, and a dot above.
  if (code == 0x130)
    text += "i\xCC\x87";
  else
    append_character(small_form(code), text);
}

}  // namespace

std::string lower_case(std::string_view text) {
  const std::string valid = valid_utf8(text);
  std::string result;
  for (std::string_view rest = valid; !rest.empty();) {
    const Character character = first_character(rest);
    rest.remove_prefix(character.size);
    append_small(character.code, result);
  }
  return result;
}

std::string lower_case_words(std::string_view text) {
  constexpr std::int32_t kSigma = 0x3A3;
  constexpr std::int32_t kFinalSigma = 0x3C2;
  const std::string valid = valid_utf8(text);
  std::string result;
  bool is_behind_letter = false;
  for (std::string_view rest = valid; !rest.empty();) {
    const Character character = first_character(rest);
    rest.remove_prefix(character.size);
    const bool is_last = rest.empty() || entry_of(letters(), first_character(rest).code) == nullptr;
    if (character.code == kSigma && is_behind_letter && is_last)
      append_character(kFinalSigma, result);
    else
      append_small(character.code, result);
    is_behind_letter = entry_of(letters(), character.code) != nullptr;
  }
  return result;
}

std::string with_plain_blanks(std::string_view text) {
  std::string result;
  bool is_in_run = false;
  while (!text.empty()) {
    const Character character = first_character(text);
    const bool is_blank = is_python_space(character.code);
    if (!is_blank) result += text.substr(0, character.size);
    if (is_blank && !is_in_run) result += ' ';
    is_in_run = is_blank;
    text.remove_prefix(character.size);
  }
  return result;
}

std::string_view trimmed(std::string_view text) {
  std::size_t begin = std::string_view::npos;
  std::size_t end = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = first_character(text.substr(at));
    if (!is_python_space(character.code)) {
      begin = std::min(begin, at);
      end = at + character.size;
    }
    at += character.size;
  }
  return end == 0 ? std::string_view() : text.substr(begin, end - begin);
}

std::string normalise_text(std::string_view text) {
  std::string result;
  if (is_ascii(text)) {
    result.assign(text);
    for (char& c : result)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return result;
  }
  const std::string composed = compose(valid_utf8(text));
  for (std::string_view rest = composed; !rest.empty();) {
    const Character character = first_character(rest);
    rest.remove_prefix(character.size);
    append_small(character.code, result);
  }
  return result;
}

std::vector<std::string> split_words(std::string_view rest) {
  std::vector<std::string> words;
  const auto take = [&](std::size_t size) {
    words.emplace_back(rest.substr(0, size));
    rest.remove_prefix(size);
  };
  const auto take_mark = [&] {
    for (const auto& mark : kMarks) {
      const std::string whole = std::string(mark[0]).append(mark[1]).append(mark[2]);
      if (!rest.starts_with(whole)) continue;
      for (const std::string_view part : mark)
        take(part.size());
      return true;
    }
    return false;
  };
  while (!rest.empty()) {
    if (rest.starts_with("<|") && take_mark()) continue;
    const auto* contraction =
        std::find_if(kContractions.begin(), kContractions.end(),
                     [&](std::string_view form) { return rest.starts_with(form); });
    if (contraction != kContractions.end()) {
      take(contraction->size());
      continue;
    }
    const Character first = first_character(rest);
    const CharacterKind kind = kind_of(first.code);
    std::size_t size = first.size;
    if (kind == CharacterKind::space) {
      rest.remove_prefix(size);
      continue;
    }
    while (kind != CharacterKind::number && size < rest.size()) {
      const Character next = first_character(rest.substr(size));
      if (kind_of(next.code) != kind) break;
      size += next.size;
    }
    take(size);
  }
  return words;
}

}  // namespace petlab::clip
