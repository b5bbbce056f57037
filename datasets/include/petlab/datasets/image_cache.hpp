#pragma once

#include "petlab/base/square_fit.hpp"
#include "petlab/datasets/dataset.hpp"

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace petlab::datasets {

class CacheFile;
struct CacheShape;

/// How far the building of a cache is.
struct CacheProgress {
  std::size_t done = 0;  ///< pictures that are in the file, those of an earlier attempt too
  std::size_t total = 0;
  double images_per_second = 0;  ///< decoded by this process, over the time since it began
};

struct CacheOptions {
  std::filesystem::path directory = "datasets/cache";
  unsigned threads = 0;  ///< for decoding; 0 = all cores
  /// Called one at a time while pictures are decoded; not at all when the cache is there.
  std::function<void(const CacheProgress&)> progress = {};
  base::SquareFit fit = {};  ///< how the pictures become squares; part of what names the file
};

/// All pictures of a data set, decoded (View::stored) and fitted to `size` (clip_crop by default),
/// in one memory-mapped file; memory holds only what the system chooses to keep. The file's name is
/// the SHA-256 over the data set's fingerprint, the version of the preprocessing and the size, so a
/// changed data set gets a new one. It appears by a rename, when all of it is on the disk: nobody
/// ever sees a part. A file that is cut short or does not hold what its name says is built anew,
/// never used. What a killed process has done is kept, checked picture by picture and completed by
/// the next one. Several processes that open the same cache wait for the one that builds it.
class ImageCache {
 public:
  /// Opens the cache, building it first where needed. The data set must have its fingerprint, and
  /// each picture must still be the one that went into it.
  /// Throws base::Error(data) naming a picture that cannot be decoded or that changed,
  /// base::Error(config) for a size outside 1..4096, for a directory that cannot be written and for
  /// a disk without the room.
  ImageCache(const Dataset& dataset, int size, const CacheOptions& options = {});

  /// Opens a cache that was built before, by what names it: the data set's fingerprint and the
  /// number of pictures of each domain. The data set itself, with its labels, is not looked at.
  /// Throws base::Error(data) when it is not in the directory.
  ImageCache(const std::string& fingerprint, std::vector<std::int64_t> counts, int size,
             const CacheOptions& options);

  /// [n, 3, size, size] uint8, RGB, in the order of the domain's samples. A view of the mapping,
  /// which it keeps alive; to be read only, a write ends the process.
  [[nodiscard]] at::Tensor images(std::size_t domain) const;

  [[nodiscard]] int size() const noexcept { return size_; }
  [[nodiscard]] bool built_now() const noexcept { return built_now_; }
  /// Pictures that were taken over from a process that had been killed.
  [[nodiscard]] std::size_t resumed() const noexcept { return resumed_; }
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

 private:
  [[nodiscard]] CacheShape shape_of(const std::string& fingerprint) const;

  int size_;
  base::SquareFit fit_;
  bool built_now_ = false;
  std::size_t resumed_ = 0;
  std::filesystem::path file_;
  std::vector<std::int64_t> counts_;
  std::shared_ptr<const CacheFile> mapping_;
};

}  // namespace petlab::datasets
