#include "data/feature_file.hpp"

#include "petlab/base/checksum.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>

namespace petlab::engine {
namespace {

struct Header {
  std::array<char, 16> magic{};
  std::array<char, 64> key{};
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;  // of the whole file
  std::array<std::uint8_t, 32> padding{};
};
static_assert(sizeof(Header) == 128);

constexpr std::array<char, 16> kMagic{'p', 'e', 't', 'l', 'a', 'b', ' ', 'f',
                                      'e', 'a', 't', 'u', 'r', 'e', '1', '\n'};
constexpr std::size_t kAlignment = 64;  // of a chunk

std::size_t aligned(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

/// Where the chunks begin; the last is the end of the file.
std::vector<std::size_t> offsets_of(const FeatureFileShape& shape) {
  std::vector<std::size_t> offsets = {
      aligned(sizeof(Header) + shape.chunks.size() * sizeof(std::uint64_t))};
  for (const std::size_t bytes : shape.chunks)
    offsets.push_back(aligned(offsets.back() + bytes));
  return offsets;
}

Header header_of(const FeatureFileShape& shape) {
  Header header{.magic = kMagic, .chunks = shape.chunks.size(), .bytes = offsets_of(shape).back()};
  std::memcpy(header.key.data(), shape.key.data(), std::min(shape.key.size(), header.key.size()));
  return header;
}

/// Makes the empty file beside its place and puts it there, whole. False with errno set.
bool create(const std::filesystem::path& file, const FeatureFileShape& shape) {
  // Of its own for each thread, process and host: a draft that two have open could be cut short by
  // one while the other has it mapped in its place.
  std::string draft = file.string() + ".partXXXXXX";
  const int descriptor = ::mkostemp(draft.data(), O_CLOEXEC);
  if (descriptor < 0) return false;
  ::fchmod(descriptor, 0644);
  const Header header = header_of(shape);
  // Room for all of it now: a write to a mapping on a full disk would end the process.
  int error = ::posix_fallocate(descriptor, 0, static_cast<off_t>(header.bytes));
  if (error == 0 && ::pwrite(descriptor, &header, sizeof header, 0) != sizeof header) error = EIO;
  if (error == 0 && ::rename(draft.c_str(), file.c_str()) != 0) error = errno;
  ::close(descriptor);
  if (error == 0) return true;
  ::unlink(draft.c_str());
  errno = error;
  return false;
}

}  // namespace

FeatureFile::FeatureFile(int descriptor, std::uint8_t* address, bool writable,
                         const FeatureFileShape& shape)
    : descriptor_(descriptor),
      address_(address),
      writable_(writable),
      sizes_(shape.chunks),
      offsets_(offsets_of(shape)),
      bytes_(offsets_.back()) {}

FeatureFile::~FeatureFile() {
  ::munmap(address_, bytes_);
  ::close(descriptor_);
}

std::unique_ptr<FeatureFile> FeatureFile::map(int descriptor, bool writable,
                                              const FeatureFileShape& shape) {
  const Header wanted = header_of(shape);
  struct stat status{};
  Header found;
  if (::fstat(descriptor, &status) != 0 ||
      static_cast<std::uint64_t>(status.st_size) != wanted.bytes ||
      ::pread(descriptor, &found, sizeof found, 0) != sizeof found ||
      std::memcmp(&found, &wanted, sizeof found) != 0) {
    return nullptr;
  }
  void* address = ::mmap(nullptr, wanted.bytes, writable ? PROT_READ | PROT_WRITE : PROT_READ,
                         MAP_SHARED, descriptor, 0);
  if (address == MAP_FAILED) return nullptr;
  return std::unique_ptr<FeatureFile>(
      new FeatureFile(descriptor, static_cast<std::uint8_t*>(address), writable, shape));
}

std::unique_ptr<FeatureFile> FeatureFile::open(const std::filesystem::path& file,
                                               const FeatureFileShape& shape, std::string& why) {
  for (const bool made : {false, true}) {
    if (made && !create(file, shape)) break;
    for (const bool writable : {true, false}) {
      const int descriptor = ::open(file.c_str(), (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0644);
      if (descriptor < 0) continue;
      if (auto mapped = map(descriptor, writable, shape)) return mapped;
      ::close(descriptor);
      break;  // it is there, but not what it should be
    }
  }
  why = "cannot write '" + file.string() + "': " + std::strerror(errno);
  return nullptr;
}

bool FeatureFile::is_good(std::size_t chunk) const {
  auto* const entry = reinterpret_cast<std::uint64_t*>(address_ + sizeof(Header)) + chunk;
  const std::uint64_t stored = std::atomic_ref(*entry).load(std::memory_order_acquire);
  return stored != 0 && stored == base::checksum(this->chunk(chunk), sizes_[chunk]);
}

const std::uint8_t* FeatureFile::chunk(std::size_t chunk) const {
  return address_ + offsets_[chunk];
}

void FeatureFile::write(std::size_t chunk, const void* bytes) {
  if (!writable_) return;
  std::uint8_t* const place = address_ + offsets_[chunk];
  std::memcpy(place, bytes, sizes_[chunk]);
  auto* const entry = reinterpret_cast<std::uint64_t*>(address_ + sizeof(Header)) + chunk;
  std::atomic_ref(*entry).store(base::checksum(place, sizes_[chunk]), std::memory_order_release);
  struct flock lock{};
  lock.l_type = F_UNLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(chunk);
  lock.l_len = 1;
  ::fcntl(descriptor_, F_OFD_SETLK, &lock);
}

bool FeatureFile::claim(std::size_t chunk) {
  if (!writable_) return true;
  struct flock lock{};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(chunk);
  lock.l_len = 1;
  return ::fcntl(descriptor_, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES);
}

}  // namespace petlab::engine
