#include "petlab/pretrain/names.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace petlab::pretrain {

namespace {

constexpr std::size_t kStemLength = 5;

/// Sorted, for the binary search.
constexpr std::array<std::string_view, 50> kStyleWords = {
    "3d",       "alt",     "alternate", "big",   "bold",       "boxed",   "broken",  "bulk",
    "color",    "colored", "colour",    "duo",   "duotone",    "f",       "fill",    "filled",
    "flat",     "icon",    "large",     "lg",    "light",      "line",    "linear",  "lines",
    "md",       "micro",   "mini",      "mono",  "monochrome", "o",       "outline", "outlined",
    "outlines", "regular", "remix",     "round", "rounded",    "s",       "sharp",   "sm",
    "small",    "solid",   "stroke",    "thin",  "tone",       "twotone", "v",       "variant",
    "xl",       "xs"};

static_assert(std::is_sorted(kStyleWords.begin(), kStyleWords.end()));

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0;
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

}  // namespace

std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(word);
    word.clear();
  };
  for (const char c : name) {
    if (!is_letter(c) && !is_digit(c)) {
      end_word();
      continue;
    }
    if (!word.empty() && is_digit(word.back()) != is_digit(c)) end_word();
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  end_word();
  return words;
}

bool is_style_word(std::string_view word) {
  const bool is_number = std::all_of(word.begin(), word.end(), is_digit);
  return is_number || std::binary_search(kStyleWords.begin(), kStyleWords.end(), word);
}

std::string subject_of(std::string_view name) {
  std::string subject;
  for (const std::string& word : words_of(name)) {
    if (is_style_word(word)) continue;
    subject += (subject.empty() ? "" : " ") + word;
  }
  return subject;
}

std::vector<std::string> number_forms(const std::string& word) {
  std::vector<std::string> forms{word, word + "s"};
  const auto add_without = [&](std::string_view ending, const char* replacement) {
    if (word.size() > ending.size() && word.ends_with(ending))
      forms.push_back(word.substr(0, word.size() - ending.size()) + replacement);
  };
  add_without("s", "");
  add_without("es", "");
  add_without("ies", "y");
  return forms;
}

ForbiddenWords::ForbiddenWords(const std::vector<std::string>& phrases,
                               const std::vector<std::string>& class_names) {
  for (const std::string& phrase : phrases)
    for (const std::string& word : words_of(phrase))
      words_.insert(word);
  for (const std::string& class_name : class_names)
    for (const std::string& word : words_of(class_name)) {
      words_.insert(word);
      if (word.size() >= kStemLength) stems_.push_back(word);
    }
}

std::string ForbiddenWords::first_in(std::string_view name) const {
  for (const std::string& word : words_of(name)) {
    for (const std::string& form : number_forms(word))
      if (words_.contains(form)) return word;
    for (const std::string& stem : stems_)
      if (word.starts_with(stem) || word.ends_with(stem)) return word;
  }
  return {};
}

}  // namespace petlab::pretrain
