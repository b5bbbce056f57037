#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace petlab::clip {

/// The text with every sequence that is not UTF-8 replaced by U+FFFD (one for each longest prefix
/// of a character).
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// The text without white space at its ends; as in Python, that includes U+001C to U+001F.
[[nodiscard]] std::string_view trimmed(std::string_view valid_utf8);

/// Canonical composition (NFC), then lower case character by character, as CLIP's tokenizer in
/// transformers does, with its editions of Unicode (see unicode_tables.hpp). Takes any bytes.
[[nodiscard]] std::string normalise_text(std::string_view text);

/// Lower case character by character, without composition. Takes any bytes.
[[nodiscard]] std::string lower_case(std::string_view text);

/// Lower case as Python's str.lower(): a capital sigma at the end of a word becomes the final one.
[[nodiscard]] std::string lower_case_words(std::string_view text);

/// The text with one plain blank for each run of white space of any kind, as Python's \s.
[[nodiscard]] std::string with_plain_blanks(std::string_view valid_utf8);

/// Splits a normalised text the way CLIP's pattern does: the contractions 's 't 're 've 'm 'll 'd,
/// runs of letters, single numbers, runs of what is neither letter, number nor space. Spaces
/// vanish.
[[nodiscard]] std::vector<std::string> split_words(std::string_view normalised);

}  // namespace petlab::clip
