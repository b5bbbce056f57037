#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace petlab::datasets {

/// What a cache file is to hold.
struct CacheShape {
  std::array<std::uint8_t, 32> key{};
  std::size_t pictures = 0;
  std::size_t picture_bytes = 0;
};

/// An image cache on disk: a header of 128 bytes, the pictures, then a checksum of 8 bytes for
/// each.
class CacheFile {
 public:
  /// A complete file, mapped for reading; null unless it is there and holds what `wanted` says. The
  /// pictures are read for that, unless a note beside the file says that they were read and the
  /// file was not touched since.
  static std::shared_ptr<const CacheFile> open(const std::filesystem::path& file,
                                               const CacheShape& wanted, unsigned threads);

  /// Builds `file` beside its place and renames it; resumes from what is there of an earlier
  /// attempt. To be called with the lock held. `fill(i, picture)` writes picture i, from several
  /// threads, in the order of `order`, which names each once; when it throws, nothing stays.
  /// `done(kept)` is called once before with the number of pictures that are kept, and `done(1)`
  /// after each picture, one call at a time. Throws base::Error(config) naming the file when it
  /// cannot be written.
  static void build(const std::filesystem::path& file, const CacheShape& shape, unsigned threads,
                    const std::vector<std::size_t>& order,
                    const std::function<void(std::size_t, std::span<std::uint8_t>)>& fill,
                    const std::function<void(std::size_t)>& done);

  ~CacheFile();
  CacheFile(const CacheFile&) = delete;
  CacheFile& operator=(const CacheFile&) = delete;

  [[nodiscard]] const std::uint8_t* pictures() const;

 private:
  CacheFile(std::uint8_t* address, std::size_t bytes) : address_(address), bytes_(bytes) {}

  std::uint8_t* address_;
  std::size_t bytes_;
};

/// Holds a lock between processes while it lives; the system frees it when its process dies. Waits
/// for it. Throws base::Error(config) naming the file when it cannot be made.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& file);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_;
};

}  // namespace petlab::datasets
