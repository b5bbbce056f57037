#pragma once

#include <array>
#include <string>
#include <string_view>

namespace petlab::clip {

inline constexpr std::string_view kEndOfWord = "</w>";
inline constexpr std::string_view kStartToken = "<|startoftext|>";
inline constexpr std::string_view kEndToken = "<|endoftext|>";

/// How the files of a byte-pair vocabulary write bytes: printable Latin-1 characters as themselves,
/// the other 68 bytes as the characters from U+0100 on (GPT-2's table).
class ByteAlphabet {
 public:
  ByteAlphabet();

  /// UTF-8 of the character that stands for `byte`.
  [[nodiscard]] const std::string& symbol(unsigned char byte) const { return symbols_[byte]; }

  /// The bytes in the order in which CLIP numbers them.
  [[nodiscard]] const std::array<unsigned char, 256>& order() const { return order_; }

  /// A token's text as bytes; characters outside of the table stay as they are.
  [[nodiscard]] std::string to_bytes(std::string_view token) const;

 private:
  std::array<std::string, 256> symbols_;
  std::array<unsigned char, 256> order_{};
};

[[nodiscard]] const ByteAlphabet& byte_alphabet();

}  // namespace petlab::clip
