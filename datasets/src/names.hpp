#pragma once

#include <string>
#include <string_view>

// Names of domains, classes and files: comparing, checking and showing them.
namespace petlab::datasets {

[[nodiscard]] std::string lower_case(std::string text);  ///< ASCII letters only

/// What two spellings of a name have in common: lower case, without blanks, '_' and '-'. The key of
/// "Real World", "Real_World" and "realworld" is "realworld".
[[nodiscard]] std::string name_key(std::string_view name);

/// `name` in composed Unicode (NFC) and lower case, with one blank for each run of blanks and '_'
/// and none at its ends: what two names have in common that look the same.
[[nodiscard]] std::string folded_name(std::string_view name);

/// The words that CLIP's tokenizer makes of a name, with a blank between: names with the same words
/// have the same tokens. So "T-shirt", "t - shirt" and "T_-shirt" are one text.
[[nodiscard]] std::string prompt_words(std::string_view name);

/// A class's name for prompts, as CoOp's code has it: '_' is a blank, case and '-' are kept.
[[nodiscard]] std::string display_name(std::string name);

}  // namespace petlab::datasets
