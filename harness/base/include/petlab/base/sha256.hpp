#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace petlab::base {

using Digest = std::array<std::uint8_t, 32>;

/// SHA-256 over everything that update() is given, in that order. Not for several threads at once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(const void* data, std::size_t size);
  void update(std::span<const std::uint8_t> bytes) { update(bytes.data(), bytes.size()); }
  void update(std::string_view text) { update(text.data(), text.size()); }

  /// Adds a text with its length, so that ("ab","c") and ("a","bc") differ.
  void update_text(std::string_view text);

  /// Ends the hash; one of the two, once.
  [[nodiscard]] Digest finish();
  [[nodiscard]] std::string finish_hex();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

/// Two lower-case hexadecimal digits a byte.
[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

/// Of the bytes of a text, as 64 hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

/// Of a file, as 64 hexadecimal digits; read in pieces. Throws Error(data) naming an unreadable
/// file.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace petlab::base
