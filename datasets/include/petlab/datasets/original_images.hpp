#pragma once

#include "petlab/datasets/image.hpp"
#include "petlab/datasets/image_cache.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace petlab::base {
class MappedFile;
}  // namespace petlab::base

namespace petlab::datasets {

/// All images of a data set as their files hold them, in one memory-mapped file beside the image
/// cache: what random crops are drawn from. Who trains reads them by number and never opens the
/// data set, whose names tell every label. The file is named by the data set's fingerprint, appears
/// by a rename, and is written anew where it is cut short or is not what its name says.
class OriginalImages {
 public:
  /// Opens the file, writing it first where needed. `options`: the directory and the progress. Each
  /// image must still be the one that went into the fingerprint. Throws base::Error(data) naming an
  /// image that cannot be read or that changed, base::Error(config) for a directory that cannot be
  /// written and for a disk without the room.
  OriginalImages(const Dataset& dataset, const CacheOptions& options);

  /// Opens a file that was written before. `counts`: images of each domain. Throws
  /// base::Error(data) when it is not in the directory.
  OriginalImages(const std::string& fingerprint, std::vector<std::int64_t> counts,
                 const std::filesystem::path& directory);

  /// Image `row` of a domain, decoded (View::stored). For several threads at once. Throws
  /// base::Error(data) where its bytes are not those that were hashed.
  [[nodiscard]] Image decode(std::size_t domain, std::int64_t row) const;

  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

 private:
  struct Entry;
  [[nodiscard]] bool open(const std::string& fingerprint);
  [[nodiscard]] std::size_t count() const;

  std::filesystem::path file_;
  std::vector<std::int64_t> counts_;
  std::shared_ptr<const base::MappedFile> mapping_;
};

}  // namespace petlab::datasets
