#include "byte_alphabet.hpp"

namespace petlab::clip {

namespace {

bool is_printable(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

/// UTF-8 of a character below U+0800.
std::string encode(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
}

}  // namespace

ByteAlphabet::ByteAlphabet() {
  std::size_t place = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (!is_printable(byte)) continue;
    symbols_[byte] = encode(byte);
    order_[place++] = static_cast<unsigned char>(byte);
  }
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (is_printable(byte)) continue;
    symbols_[byte] = encode(next++);
    order_[place++] = static_cast<unsigned char>(byte);
  }
}

std::string ByteAlphabet::to_bytes(std::string_view token) const {
  std::string bytes;
  for (std::size_t i = 0; i < token.size();) {
    const auto lead = static_cast<unsigned char>(token[i]);
    const std::size_t size = lead < 0x80 || i + 1 == token.size() ? 1 : 2;
    const unsigned code =
        size == 1 ? lead : (lead & 0x1FU) << 6 | (static_cast<unsigned char>(token[i + 1]) & 0x3FU);
    if (code >= 256 && code < 256 + 68)
      bytes += static_cast<char>(order_[188 + code - 256]);
    else if (code < 256 && is_printable(code))
      bytes += static_cast<char>(code);
    else
      bytes += token.substr(i, size);
    i += size;
  }
  return bytes;
}

const ByteAlphabet& byte_alphabet() {
  static const ByteAlphabet alphabet;
  return alphabet;
}

}  // namespace petlab::clip
