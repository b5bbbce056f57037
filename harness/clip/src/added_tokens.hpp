#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::clip {

/// A token that is found in a text as it is written, before the text is split into words.
struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool is_single_word = false;  ///< found only where no letter or number touches it
  bool is_normalised = true;    ///< found in the normalised text, itself normalised
};

/// Finds added tokens as the tokenizers library does: from left to right, of those that begin at
/// one place the longest.
class AddedTokens {
 public:
  void add(std::string content, std::int32_t id, bool is_single_word);

  struct Piece {
    std::string_view text;
    std::int32_t id = -1;  ///< of the token; -1 for the text between tokens
  };
  [[nodiscard]] bool is_empty() const { return tokens_.empty(); }
  /// The pieces of `text`, without empty ones.
  [[nodiscard]] std::vector<Piece> split(std::string_view text) const;

 private:
  struct Token {
    std::string content;
    std::int32_t id;
    bool is_single_word;
  };
  std::vector<Token> tokens_;  ///< longest first
};

/// The text with one blank for each run of white space, as CLIP's normaliser has it: an added token
/// of two words is found whatever stands between them.
[[nodiscard]] std::string with_single_blanks(std::string_view text);

}  // namespace petlab::clip
