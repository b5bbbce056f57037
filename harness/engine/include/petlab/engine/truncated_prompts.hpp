#pragma once

#include "petlab/clip/tokenizer.hpp"
#include "petlab/engine/tasks.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// What a run loses where class names do not fit the backbone's context.
struct TruncatedPrompts {
  std::int64_t count = 0;  ///< of different texts
  std::string example;     ///< the first of them

  /// "2 class texts are longer than the 77 tokens that the backbone reads and were cut, such as
  /// '...'"; "" when there are none.
  [[nodiscard]] std::string message(std::int64_t context_length) const;
};

/// The texts of all tasks' classes, in the template's {}, that have more than `context_length`
/// tokens with start and end token. The tokenizer cuts them and keeps their end token.
[[nodiscard]] TruncatedPrompts find_cut_texts(const clip::Tokenizer& tokenizer,
                                              std::int64_t context_length,
                                              const std::vector<Task>& tasks,
                                              const std::string& text_template);

}  // namespace petlab::engine
