#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace petlab::clip {

/// Writes a file that is either whole or not there: everything goes to a temporary file beside it,
/// commit() syncs and renames it. Without commit() the temporary file is removed.
/// Throws Error(data) naming the file.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path file);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path file_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// A whole small file at once.
void write_text_file(const std::filesystem::path& file, std::string_view text);

/// The content of a text file. Throws Error(data) when it cannot be read or is longer than
/// `max_bytes`.
[[nodiscard]] std::string read_text_file(const std::filesystem::path& file, std::size_t max_bytes);

}  // namespace petlab::clip
