#pragma once

#include <cstdint>
#include <span>

namespace petlab::clip {

/// The characters first..last, with both.
struct CodeRange {
  std::int32_t first;
  std::int32_t last;
};

/// The characters first, first + step, ... last; the small form of each is `distance` behind it.
struct SmallForms {
  std::int32_t first;
  std::int32_t last;
  std::int32_t step;
  std::int32_t distance;
};

/// Unicode as the tokenizer of transformers 5 knows it, asked from it by
/// tests/parity/unicode_tables.py. All tables are sorted. They are petlab's own, so that a text has
/// the same tokens on every system, whatever edition of Unicode its utf8proc follows.
[[nodiscard]] std::span<const CodeRange> letters();
[[nodiscard]] std::span<const CodeRange> numbers();

/// Characters that are younger than the reference's normaliser, which neither moves nor composes
/// nor splits them.
[[nodiscard]] std::span<const CodeRange> young_characters();

/// Without U+0130, the one whose small form is two characters.
[[nodiscard]] std::span<const SmallForms> small_forms();

}  // namespace petlab::clip
