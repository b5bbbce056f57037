#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::pretrain {

/// The words of an icon's name in lower case: split at everything that is no letter or digit, and
/// between letters and digits. "battery50-full" -> battery, 50, full.
[[nodiscard]] std::vector<std::string> words_of(std::string_view name);

/// True for words that say how a thing is drawn, not what is drawn: outline, bold, duotone, 24.
[[nodiscard]] bool is_style_word(std::string_view word);

/// The words of a name that say what is drawn, joined by blanks; empty when there are none.
[[nodiscard]] std::string subject_of(std::string_view name);

/// A word, its plural and the singulars it may be the plural of.
[[nodiscard]] std::vector<std::string> number_forms(const std::string& word);

/// Words that must not occur in the name of a picture by an evaluation designer.
class ForbiddenWords {
 public:
  /// `phrases` are all phrases of all classes, `class_names` the names of the classes.
  ForbiddenWords(const std::vector<std::string>& phrases,
                 const std::vector<std::string>& class_names);

  /// The first word of `name` that is a word of a phrase (in singular or plural), or that begins or
  /// ends with a word of a class name of five letters or more ("airplanemode"); empty when none.
  [[nodiscard]] std::string first_in(std::string_view name) const;

 private:
  std::set<std::string, std::less<>> words_;
  std::vector<std::string> stems_;
};

}  // namespace petlab::pretrain
