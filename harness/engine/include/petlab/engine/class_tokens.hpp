#pragma once

#include "petlab/clip/tokenizer.hpp"
#include "petlab/engine/tasks.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::engine {

/// Throws Error(data) naming two classes of a task whose texts in the template's {} have the same
/// tokens, as the tower reads them, cut at `context_length`: both would have the same scores, and
/// the second would never be answered.
void check_class_tokens(const clip::Tokenizer& tokenizer, std::int64_t context_length,
                        const std::vector<Task>& tasks, const std::string& text_template);

}  // namespace petlab::engine
