#include "petlab/datasets/image_cache.hpp"

#include "parallel.hpp"
#include "petlab/datasets/hash.hpp"
#include "petlab/datasets/resize.hpp"
#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using sdk::Error;
using sdk::ErrorKind;

/// The file: this header, then the pictures, domain after domain, 3 planes each. The checksum
/// covers the pictures and is checked at every opening; it is written last.
struct Header {
  std::array<char, 16> magic{};
  std::array<std::uint8_t, 32> key{};
  std::uint64_t pictures = 0;
  std::uint64_t picture_bytes = 0;
  std::uint64_t checksum = 0;
  std::array<std::uint8_t, 56> padding{};  // pictures start at 128 bytes
};
static_assert(sizeof(Header) == 128);

constexpr std::array<char, 16> kMagic{'p', 'e', 't', 'l', 'a', 'b', ' ',  'c',
                                      'a', 'c', 'h', 'e', ' ', '1', '\n', '\0'};

/// Fast check against damage (not against malice): FNV-1a over 8-byte words in four lanes.
std::uint64_t checksum(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kPrime = 0x100000001B3ULL;
  std::array<std::uint64_t, 4> lanes{0xCBF29CE484222325ULL, 1, 2, 3};
  std::size_t i = 0;
  for (; i + 32 <= size; i += 32) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      std::uint64_t word = 0;
      std::memcpy(&word, data + i + 8 * lane, 8);
      lanes[lane] = (lanes[lane] ^ word) * kPrime;
      lanes[lane] ^= lanes[lane] >> 29U;
    }
  }
  std::uint64_t total = size;
  for (; i < size; ++i)
    total = (total ^ data[i]) * kPrime;
  for (const std::uint64_t lane : lanes)
    total = (total ^ lane) * kPrime;
  return total;
}

class FileDescriptor {
 public:
  FileDescriptor(const fs::path& file, int flags)
      : fd_(::open(file.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail(const std::string& what, const fs::path& file) {
  throw Error(ErrorKind::config,
              "image cache: cannot " + what + " " + file.string() + ": " + std::strerror(errno));
}

std::array<std::uint8_t, 32> key_of(const Dataset& dataset, int size) {
  Sha256 hash;
  hash.update_text("petlab image cache 1");
  hash.update_text(dataset.fingerprint);
  // The order of the domains is the order in the file, and the fingerprint depends on it too.
  hash.update_text(std::to_string(kPreprocessVersion));
  hash.update_text(std::to_string(size));
  return hash.finish();
}

/// Decodes and crops one picture into planes.
void fill(std::uint8_t* planes, const Sample& sample, int size) {
  const Image image = clip_crop(decode_image(sample.file), size);
  const std::size_t area = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < area; ++i) {
    for (std::size_t c = 0; c < 3; ++c)
      planes[c * area + i] = image.rgb[i * 3 + c];
  }
}

}  // namespace

/// Read-only mapping of a whole file.
class ImageCache::Mapping {
 public:
  /// Null unless the file is there and holds exactly what `wanted` says.
  static std::shared_ptr<const Mapping> open(const fs::path& file, const Header& wanted) {
    const FileDescriptor fd(file, O_RDONLY);
    struct stat status{};
    const std::size_t bytes = sizeof(Header) + wanted.pictures * wanted.picture_bytes;
    if (!fd.is_open() || ::fstat(fd.get(), &status) != 0 ||
        static_cast<std::uint64_t>(status.st_size) != bytes) {
      return nullptr;
    }
    void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) fail("map", file);
    auto mapping = std::shared_ptr<const Mapping>(
        new Mapping(static_cast<const std::uint8_t*>(address), bytes));
    Header header;
    std::memcpy(&header, mapping->address_, sizeof(header));
    const bool good = header.magic == wanted.magic && header.key == wanted.key &&
                      header.pictures == wanted.pictures &&
                      header.picture_bytes == wanted.picture_bytes &&
                      header.checksum == checksum(mapping->pictures(), bytes - sizeof(Header));
    return good ? mapping : nullptr;
  }

  ~Mapping() { ::munmap(const_cast<std::uint8_t*>(address_), bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  [[nodiscard]] const std::uint8_t* pictures() const { return address_ + sizeof(Header); }

 private:
  Mapping(const std::uint8_t* address, std::size_t bytes) : address_(address), bytes_(bytes) {}

  const std::uint8_t* address_;
  std::size_t bytes_;
};

namespace {

/// Builds the file beside its place, waits for the disk, and renames it.
void build(const fs::path& file, Header header, const Dataset& dataset, int size,
           const CacheOptions& options) {
  fs::path temporary = file;
  temporary += ".tmp";  // the lock is held, so there is one builder
  const std::size_t bytes = sizeof(Header) + header.pictures * header.picture_bytes;
  {
    const FileDescriptor fd(temporary, O_RDWR | O_CREAT | O_TRUNC);
    if (!fd.is_open()) fail("write", temporary);
    // Reserves the blocks: writing to a mapping on a full disk would end the process.
    if (const int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes)); error != 0) {
      errno = error;
      const int saved = errno;
      fs::remove(temporary);
      errno = saved;
      fail("reserve " + std::to_string(bytes >> 20U) + " MB for", temporary);
    }
    void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) fail("map", temporary);
    const std::unique_ptr<void, std::function<void(void*)>> unmap(
        address, [bytes](void* p) { ::munmap(p, bytes); });
    auto* pictures = static_cast<std::uint8_t*>(address) + sizeof(Header);

    std::vector<const Sample*> samples;
    for (const auto& domain : dataset.domains) {
      for (const auto& sample : domain.samples)
        samples.push_back(&sample);
    }
    std::mutex mutex;
    std::size_t done = 0;
    try {
      parallel_for(samples.size(), options.threads, [&](std::size_t i) {
        fill(pictures + i * header.picture_bytes, *samples[i], size);
        const std::lock_guard lock(mutex);
        ++done;
        if (options.progress) options.progress(done, samples.size());
      });
    } catch (...) {
      fs::remove(temporary);
      throw;
    }
    header.checksum = checksum(pictures, bytes - sizeof(Header));
    std::memcpy(address, &header, sizeof(header));
    if (::msync(address, bytes, MS_SYNC) != 0 || ::fsync(fd.get()) != 0) fail("write", temporary);
  }
  fs::rename(temporary, file);
}

}  // namespace

ImageCache::ImageCache(const Dataset& dataset, int size, const CacheOptions& options)
    : size_(size) {
  if (size < 1 || size > 4096) {
    throw Error(ErrorKind::config,
                "image cache: picture size " + std::to_string(size) + " is outside 1..4096");
  }
  if (dataset.fingerprint.empty()) {
    throw Error(ErrorKind::internal,
                "image cache: data set '" + dataset.name + "' was loaded without fingerprint");
  }
  for (const auto& domain : dataset.domains) {
    counts_.push_back(static_cast<std::int64_t>(domain.samples.size()));
  }
  Header wanted;
  wanted.magic = kMagic;
  wanted.key = key_of(dataset, size);
  wanted.pictures = sample_count(dataset);
  wanted.picture_bytes =
      std::size_t{3} * static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  std::error_code ignored;  // a failure shows when the file is opened
  fs::create_directories(options.directory, ignored);
  file_ = options.directory / (to_hex(wanted.key) + ".cache");

  mapping_ = Mapping::open(file_, wanted);
  if (mapping_) return;
  fs::path lock_file = file_;
  lock_file += ".lock";
  const FileDescriptor lock(lock_file, O_RDWR | O_CREAT);
  if (!lock.is_open()) fail("write", lock_file);
  while (::flock(lock.get(), LOCK_EX) != 0) {
    if (errno != EINTR) fail("lock", lock_file);
  }
  mapping_ = Mapping::open(file_, wanted);  // another process may have built it meanwhile
  if (mapping_) return;
  build(file_, wanted, dataset, size, options);
  built_now_ = true;
  mapping_ = Mapping::open(file_, wanted);
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
