#include "petlab/base/source_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <initializer_list>

namespace petlab::base {
namespace {

// Longest first: the first that fits is the token. Digraphs are tokens of their own.
constexpr std::array<std::string_view, 33> kPunctuators = {
    "%:%:", "<=>", "...", "->*", "<<=", ">>=", "::", ".*", "->", "++", "--",
    "<<",   ">>",  "<=",  ">=",  "==",  "!=",  "&&", "||", "+=", "-=", "*=",
    "/=",   "%=",  "&=",  "|=",  "^=",  "##",  "<:", ":>", "<%", "%>", "%:"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Bytes above ASCII belong to names: petlab's compilers read them as UTF-8.
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_name(char c) {
  return is_name_start(c) || is_digit(c);
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::string run() {
    while (skip_to_token())
      take_token();
    end_line();
    return std::move(result_);
  }

 private:
  /// Where the text goes on behind continued lines that begin at `at`.
  [[nodiscard]] std::size_t behind_splices(std::size_t at) const {
    while (at < text_.size() && text_[at] == '\\') {
      std::size_t end = at + 1;
      while (end < text_.size() && is_blank(text_[end]))
        ++end;
      if (end == text_.size() || text_[end] != '\n') break;
      at = end + 1;
    }
    return at;
  }

  /// The next character but `ahead`; '\0' behind the end.
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    std::size_t at = behind_splices(at_);
    for (; ahead > 0 && at < text_.size(); --ahead)
      at = behind_splices(at + 1);
    return at < text_.size() ? text_[at] : '\0';
  }

  [[nodiscard]] bool is_end() const { return behind_splices(at_) >= text_.size(); }

  char next() {
    at_ = behind_splices(at_);
    return text_[at_++];
  }

  [[nodiscard]] bool follows(std::string_view word) const {
    for (std::size_t i = 0; i < word.size(); ++i)
      if (peek(i) != word[i]) return false;
    return true;
  }

  void emit(std::string_view token) {
    result_.append(std::to_string(token.size())).append(1, ' ').append(token).append(1, '\n');
    ++tokens_in_line_;
  }

  /// An empty token ends a preprocessor line.
  void end_line() {
    if (is_directive_) emit("");
    is_directive_ = false;
    tokens_in_line_ = 0;
    directive_.clear();
  }

  /// False at the end of the text.
  bool skip_to_token() {
    had_space_ = false;
    while (!is_end()) {
      if (peek() == '\n') {
        next();
        end_line();
      } else if (is_blank(peek())) {
        next();
      } else if (follows("//")) {
        while (!is_end() && peek() != '\n')
          next();
      } else if (follows("/*")) {
        next();
        next();
        while (!is_end() && !follows("*/"))
          next();
        for (int i = 0; i < 2 && !is_end(); ++i)
          next();
      } else {
        return true;
      }
      had_space_ = true;
    }
    return false;
  }

  void take_token() {
    const char c = peek();
    if (tokens_in_line_ == 0 && c == '#') is_directive_ = true;
    if (is_directive_ && tokens_in_line_ == 2 && c == '<' && directive_ == "include")
      return take_header();
    if (is_directive_ && tokens_in_line_ == 3 && c == '(' && directive_ == "define" && !had_space_)
      emit(std::string_view("\0", 1));  // a macro with parameters
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return take_number();
    if (is_name_start(c)) return take_name();
    if (c == '"' || c == '\'') return take_quoted({});
    take_punctuator();
  }

  void take_header() {
    std::string token;
    while (!is_end() && peek() != '\n') {
      token += next();
      if (token.back() == '>') break;
    }
    emit(token);
  }

  void take_number() {
    std::string token;
    while (is_name(peek()) || peek() == '.' || (peek() == '\'' && is_name(peek(1)))) {
      token += next();
      const bool is_exponent =
          std::string_view("eEpP").find(token.back()) != std::string_view::npos;
      if (is_exponent && (peek() == '+' || peek() == '-')) token += next();
    }
    emit(token);
  }

  void take_name() {
    std::string token;
    while (is_name(peek()))
      token += next();
    const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), token) != names.end();
    };
    if (peek() == '"' && is_one_of({"R", "u8R", "uR", "UR", "LR"})) return take_raw(token);
    if ((peek() == '"' || peek() == '\'') && is_one_of({"u8", "u", "U", "L"}))
      return take_quoted(token);
    if (is_directive_ && tokens_in_line_ == 1) directive_ = token;
    emit(token);
  }

  /// A string or a character with what may stand before and behind it; ends with its line at the
  /// latest, as an apostrophe in text that is not compiled does.
  void take_quoted(std::string token) {
    const char quote = next();
    token += quote;
    while (!is_end() && peek() != '\n') {
      const char c = next();
      token += c;
      if (c == quote) break;
      if (c == '\\' && !is_end() && peek() != '\n') token += next();
    }
    take_suffix(token);
  }

  /// Continued lines are no such thing in here: the bytes are taken as they are.
  void take_raw(std::string token) {
    token += next();
    const std::size_t open = text_.find('(', at_);
    std::size_t end = text_.size();
    if (open != std::string_view::npos) {
      std::string close = ")";
      close.append(text_.substr(at_, open - at_)).append(1, '"');
      if (const auto found = text_.find(close, open); found != std::string_view::npos)
        end = found + close.size();
    }
    token += text_.substr(at_, end - at_);
    at_ = end;
    take_suffix(token);
  }

  void take_suffix(std::string& token) {
    if (is_name_start(peek()))
      while (is_name(peek()))
        token += next();
    emit(token);
  }

  void take_punctuator() {
    for (const std::string_view one : kPunctuators) {
      if (!follows(one)) continue;
      for (std::size_t i = 0; i < one.size(); ++i)
        next();
      return emit(one);
    }
    emit(std::string(1, next()));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string result_;
  std::size_t tokens_in_line_ = 0;
  bool is_directive_ = false;
  bool had_space_ = false;
  std::string directive_;  ///< "include", "define" ...
};

}  // namespace

std::string canonical_source(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace petlab::base
