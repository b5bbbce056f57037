#include "petlab/datasets/image_cache.hpp"

#include "cache_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/datasets/resize.hpp"
#include "petlab/datasets/stored_picture.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

std::array<std::uint8_t, 32> key_of(const std::string& fingerprint, int size,
                                    const base::SquareFit& fit) {
  base::Sha256 hash;
  hash.update_text("petlab image cache 1");
  hash.update_text(fingerprint);
  // The order of the domains is the order in the file, and the fingerprint depends on it too.
  hash.update_text(std::to_string(kPreprocessVersion));
  hash.update_text(std::to_string(size));
  if (const std::string mark = fit.mark(); !mark.empty()) hash.update_text(mark);
  return hash.finish();
}

/// Builds the file; returns the number of pictures that were there from an earlier attempt.
std::size_t build(const fs::path& file, const CacheShape& shape, const Dataset& dataset, int size,
                  const CacheOptions& options) {
  const std::vector<const Sample*> samples = samples_of(dataset);
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  bool first = true;
  std::size_t kept = 0;
  CacheProgress progress{.total = samples.size()};
  CacheFile::build(
      file, shape, options.threads, storage_order(samples),
      [&](std::size_t i, std::span<std::uint8_t> planes) {
        clip_crop_planes(decode_picture(*samples[i], dataset.digests[i]), size, planes,
                         options.fit);
      },
      [&](std::size_t more) {
        if (first) kept = more;
        progress.done += more;
        const std::chrono::duration<double> passed = Clock::now() - start;
        progress.images_per_second =
            static_cast<double>(progress.done - kept) / std::max(passed.count(), 1e-9);
        if (options.progress && (!first || kept != 0)) options.progress(progress);
        first = false;
      });
  return kept;
}

}  // namespace

CacheShape ImageCache::shape_of(const std::string& fingerprint) const {
  std::size_t pictures = 0;
  for (const std::int64_t count : counts_)
    pictures += static_cast<std::size_t>(count);
  return {.key = key_of(fingerprint, size_, fit_),
          .pictures = pictures,
          .picture_bytes =
              std::size_t{3} * static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_)};
}

ImageCache::ImageCache(const std::string& fingerprint, std::vector<std::int64_t> counts, int size,
                       const CacheOptions& options)
    : size_(size), fit_(options.fit), counts_(std::move(counts)) {
  const CacheShape shape = shape_of(fingerprint);
  file_ = options.directory / (base::to_hex(shape.key) + ".cache");
  mapping_ = CacheFile::open(file_, shape, options.threads);
  if (!mapping_) {
    throw Error(ErrorKind::data, "image cache " + file_.string() +
                                     " is not there, or not whole; start the study again, which "
                                     "builds it");
  }
}

ImageCache::ImageCache(const Dataset& dataset, int size, const CacheOptions& options)
    : size_(size), fit_(options.fit) {
  if (size < 1 || size > 4096) {
    throw Error(ErrorKind::config,
                "image cache: image size " + std::to_string(size) + " is outside 1..4096");
  }
  if (dataset.fingerprint.empty()) {
    throw Error(ErrorKind::internal,
                "image cache: data set '" + dataset.name + "' was loaded without fingerprint");
  }
  for (const auto& domain : dataset.domains) {
    counts_.push_back(static_cast<std::int64_t>(domain.samples.size()));
  }
  if (dataset.digests.size() != sample_count(dataset)) {
    throw Error(ErrorKind::internal,
                "image cache: data set '" + dataset.name + "' does not know its images' hashes");
  }
  const CacheShape shape = shape_of(dataset.fingerprint);
  std::error_code ignored;  // a failure shows when the file is opened
  fs::create_directories(options.directory, ignored);
  file_ = options.directory / (base::to_hex(shape.key) + ".cache");

  mapping_ = CacheFile::open(file_, shape, options.threads);
  if (mapping_) return;
  fs::path lock_file = file_;
  lock_file += ".lock";
  const FileLock lock(lock_file);
  mapping_ = CacheFile::open(file_, shape, options.threads);  // another may have built it meanwhile
  if (mapping_) return;
  resumed_ = build(file_, shape, dataset, size, options);
  built_now_ = true;
  mapping_ = CacheFile::open(file_, shape, options.threads);
  if (!mapping_) {
    throw Error(ErrorKind::internal,
                "image cache: " + file_.string() + " is not what was written a moment ago");
  }
}

at::Tensor ImageCache::images(std::size_t domain) const {
  if (domain >= counts_.size()) {
    throw Error(ErrorKind::internal, "image cache: there is no domain " + std::to_string(domain));
  }
  std::int64_t before = 0;
  for (std::size_t d = 0; d < domain; ++d)
    before += counts_[d];
  const std::int64_t picture = std::int64_t{3} * size_ * size_;
  auto* data = const_cast<std::uint8_t*>(mapping_->pictures() + before * picture);
  return at::from_blob(
      data, {counts_[domain], 3, size_, size_}, [keep = mapping_](void*) {}, at::kByte);
}

}  // namespace petlab::datasets
