#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace petlab::datasets {

/// SHA-256, fed in pieces. Not for several threads at once.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::span<const std::uint8_t> bytes);

  /// Adds a text with its length, so that ("ab","c") and ("a","bc") differ.
  void update_text(std::string_view text);

  /// Ends the hash. To be called once.
  [[nodiscard]] std::array<std::uint8_t, 32> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

[[nodiscard]] std::string to_hex(std::span<const std::uint8_t> bytes);

/// Lower-case hexadecimal SHA-256 of a file. Throws base::Error(data) naming an unreadable file.
[[nodiscard]] std::string sha256_of_file(const std::filesystem::path& file);

}  // namespace petlab::datasets
