#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace petlab::base {

/// A file of which the bytes are seen through the page cache, without a copy. A file that another
/// program cuts while it is mapped ends this one with SIGBUS: that is the price of no copy.
class MappedFile {
 public:
  /// Throws Error(data) naming the file when it cannot be read or is no regular file.
  explicit MappedFile(std::filesystem::path file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::span<const unsigned char> bytes() const { return {data_, size_}; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Takes the pages that lie wholly in this part out of the process, so that they do not count as
  /// its memory. They come back from the file when they are read again.
  void drop(std::size_t offset, std::size_t size) const;

 private:
  std::filesystem::path path_;
  const unsigned char* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace petlab::base
