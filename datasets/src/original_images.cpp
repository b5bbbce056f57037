#include "petlab/datasets/original_images.hpp"

#include "cache_file.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/mapped_file.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/stored_picture.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <numeric>
#include <utility>

// The file: the images' bytes, an Entry for each in the order of the data set, a Footer.
namespace petlab::datasets {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

struct OriginalImages::Entry {
  std::uint64_t at = 0;
  std::uint64_t size = 0;
  base::Digest digest{};
};

namespace {

struct Footer {
  base::Digest key{};
  base::Digest index{};  ///< SHA-256 of the entries
  std::uint64_t images = 0;
  std::uint64_t image_bytes = 0;
};

base::Digest originals_key(const std::string& fingerprint) {
  base::Sha256 hash;
  hash.update_text("petlab original images 1");
  hash.update_text(fingerprint);
  return hash.finish();
}

base::Digest digest_of(const void* data, std::size_t size) {
  base::Sha256 hash;
  hash.update(data, size);
  return hash.finish();
}

fs::path file_of(const fs::path& directory, const std::string& fingerprint) {
  return directory / (base::to_hex(originals_key(fingerprint)) + ".originals");
}

}  // namespace

OriginalImages::OriginalImages(const std::string& fingerprint, std::vector<std::int64_t> counts,
                               const fs::path& directory)
    : file_(file_of(directory, fingerprint)), counts_(std::move(counts)) {
  if (!open(fingerprint))
    throw Error(ErrorKind::data, "the original images in " + base::printable(file_) +
                                     " are not there, or not whole; start the study again, which "
                                     "writes them");
}

OriginalImages::OriginalImages(const Dataset& dataset, const CacheOptions& options)
    : file_(file_of(options.directory, dataset.fingerprint)) {
  for (const Domain& domain : dataset.domains)
    counts_.push_back(static_cast<std::int64_t>(domain.samples.size()));
  if (dataset.digests.size() != count())
    throw Error(ErrorKind::internal,
                "original images: data set '" + dataset.name + "' does not know its hashes");
  std::error_code ignored;  // a failure shows when the file is opened
  fs::create_directories(options.directory, ignored);
  if (open(dataset.fingerprint)) return;
  fs::path lock_file = file_;
  lock_file += ".lock";
  const FileLock lock(lock_file);
  if (open(dataset.fingerprint)) return;  // another may have written it meanwhile

  const std::vector<const Sample*> samples = samples_of(dataset);
  std::vector<Entry> entries(samples.size());
  base::AtomicFile out(file_, {.failure = ErrorKind::config});
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  CacheProgress progress{.total = samples.size()};
  std::uint64_t at = 0;
  for (const std::size_t i : storage_order(samples)) {
    const std::vector<std::uint8_t> bytes = read_hashed_picture(*samples[i], dataset.digests[i]);
    out.write(bytes.data(), bytes.size());
    entries[i] = {at, bytes.size(), dataset.digests[i]};
    at += bytes.size();
    ++progress.done;
    const std::chrono::duration<double> passed = Clock::now() - start;
    progress.images_per_second =
        static_cast<double>(progress.done) / std::max(passed.count(), 1e-9);
    if (options.progress) options.progress(progress);
  }
  const std::size_t index_bytes = entries.size() * sizeof(Entry);
  out.write(entries.data(), index_bytes);
  const Footer footer{originals_key(dataset.fingerprint), digest_of(entries.data(), index_bytes),
                      entries.size(), at};
  out.write(&footer, sizeof footer);
  out.commit();
  if (!open(dataset.fingerprint))
    throw Error(ErrorKind::internal,
                "original images: " + file_.string() + " is not what was written a moment ago");
}

std::size_t OriginalImages::count() const {
  return static_cast<std::size_t>(std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0}));
}

bool OriginalImages::open(const std::string& fingerprint) {
  std::error_code ignored;
  if (!fs::is_regular_file(file_, ignored)) return false;
  auto mapping = std::make_shared<const base::MappedFile>(file_);
  const auto bytes = mapping->bytes();
  const std::size_t index_bytes = count() * sizeof(Entry);
  if (bytes.size() < index_bytes + sizeof(Footer)) return false;
  Footer footer;
  std::memcpy(&footer, bytes.data() + bytes.size() - sizeof footer, sizeof footer);
  const auto* index = bytes.data() + bytes.size() - sizeof footer - index_bytes;
  if (footer.key != originals_key(fingerprint) || footer.images != count() ||
      footer.image_bytes + index_bytes + sizeof footer != bytes.size() ||
      footer.index != digest_of(index, index_bytes))
    return false;
  mapping_ = std::move(mapping);
  return true;
}

Image OriginalImages::decode(std::size_t domain, std::int64_t row) const {
  if (domain >= counts_.size() || row < 0 || row >= counts_[domain])
    throw Error(ErrorKind::internal, "original images: there is no image " + std::to_string(row) +
                                         " of domain " + std::to_string(domain));
  auto i = static_cast<std::size_t>(row);
  for (std::size_t before = 0; before < domain; ++before)
    i += static_cast<std::size_t>(counts_[before]);
  const auto bytes = mapping_->bytes();
  const std::size_t images_end = bytes.size() - sizeof(Footer) - count() * sizeof(Entry);
  Entry entry;
  std::memcpy(&entry, bytes.data() + images_end + i * sizeof entry, sizeof entry);
  const std::string name = "image " + std::to_string(i) + " of " + base::printable(file_);
  if (entry.at > images_end || entry.size > images_end - entry.at ||
      digest_of(bytes.data() + entry.at, entry.size) != entry.digest)
    throw Error(ErrorKind::data,
                name + " is damaged; remove the file and start the study again, which writes it");
  return decode_image(bytes.subspan(entry.at, entry.size), name);
}

}  // namespace petlab::datasets
