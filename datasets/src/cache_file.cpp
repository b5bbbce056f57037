#include "cache_file.hpp"

#include "parallel.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/checksum.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

struct Header {
  std::array<char, 16> magic{};
  std::array<std::uint8_t, 32> key{};
  std::uint64_t pictures = 0;
  std::uint64_t picture_bytes = 0;
  std::uint64_t checksum = 0;  // of the table of checksums; 0 until the file is complete
  std::array<std::uint8_t, 56> padding{};
};
static_assert(sizeof(Header) == 128);

constexpr std::array<char, 16> kMagic{'p', 'e', 't', 'l', 'a', 'b', ' ',  'c',
                                      'a', 'c', 'h', 'e', ' ', '2', '\n', '\0'};

class FileDescriptor {
 public:
  FileDescriptor(const fs::path& file, int flags)
      : fd_(::open(file.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0644)) {}
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

[[noreturn]] void fail(const std::string& what, const fs::path& file, int error,
                       const std::string& advice = "choose another cache directory") {
  throw Error(ErrorKind::config, "image cache: cannot " + what + " " + base::printable(file) +
                                     ": " + std::strerror(error) + "; " + advice);
}

std::size_t bytes_of(const CacheShape& shape) {
  return sizeof(Header) + shape.pictures * (shape.picture_bytes + sizeof(std::uint64_t));
}

/// The parts of a mapped cache file.
struct Parts {
  std::uint8_t* address;
  const CacheShape& shape;

  [[nodiscard]] Header header() const {
    Header result;
    std::memcpy(&result, address, sizeof(result));
    return result;
  }
  [[nodiscard]] std::uint8_t* picture(std::size_t i) const {
    return address + sizeof(Header) + i * shape.picture_bytes;
  }
  [[nodiscard]] std::uint8_t* table() const { return picture(shape.pictures); }
  [[nodiscard]] std::uint64_t table_checksum() const {
    return base::checksum(table(), shape.pictures * sizeof(std::uint64_t));
  }
  [[nodiscard]] bool is_good(std::size_t i) const {
    std::uint64_t stored = 0;
    std::memcpy(&stored, table() + i * sizeof(stored), sizeof(stored));
    return stored != 0 && stored == base::checksum(picture(i), shape.picture_bytes);
  }
  void set_good(std::size_t i) const {
    const std::uint64_t value = base::checksum(picture(i), shape.picture_bytes);
    std::memcpy(table() + i * sizeof(value), &value, sizeof(value));
  }
  /// Whether the header is that of this shape, complete or not.
  [[nodiscard]] bool is_ours() const {
    const Header found = header();
    return found.magic == kMagic && found.key == shape.key && found.pictures == shape.pictures &&
           found.picture_bytes == shape.picture_bytes;
  }
};

/// What changes with every change of a file: the note of a checked file says this.
std::string stamp_of(const struct stat& status) {
  const auto time = [](const timespec& t) {
    return std::to_string(t.tv_sec) + "." + std::to_string(t.tv_nsec);
  };
  return std::to_string(status.st_ino) + " " + std::to_string(status.st_size) + " " +
         time(status.st_mtim) + " " + time(status.st_ctim);
}

fs::path beside(fs::path file, const char* suffix) {
  file += suffix;
  return file;
}

bool all_good(const Parts& parts, unsigned threads) {
  if (parts.header().checksum != parts.table_checksum()) return false;
  std::atomic<bool> good{true};
  parallel_for(parts.shape.pictures, threads, [&](std::size_t i) {
    if (good && !parts.is_good(i)) good = false;
  });
  return good;
}

/// Room for the whole file, now: writing to a mapping on a full disk would end the process, and
/// so does growing beyond the limit of `ulimit -f`.
void reserve(const FileDescriptor& fd, const fs::path& file, std::size_t bytes) {
  const std::string what = "reserve " + std::to_string((bytes >> 20U) + 1) + " MB for";
  struct rlimit limit{};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
      bytes > limit.rlim_cur) {
    fail(what, file, EFBIG, "raise the limit of files (ulimit -f)");
  }
  const int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes));
  if (error == 0) return;
  std::error_code unknown;
  const auto space = fs::space(file, unknown);
  std::error_code ignored;
  fs::remove(file, ignored);
  fail(what, file, error,
       unknown ? "make room or choose another cache directory"
               : std::to_string(space.available >> 20U) +
                     " MB are free there, make room or choose another cache directory");
}

}  // namespace

std::shared_ptr<const CacheFile> CacheFile::open(const fs::path& file, const CacheShape& wanted,
                                                 unsigned threads) {
  const FileDescriptor fd(file, O_RDONLY);
  struct stat status{};
  const std::size_t bytes = bytes_of(wanted);
  if (!fd.is_open() || ::fstat(fd.get(), &status) != 0 ||
      static_cast<std::uint64_t>(status.st_size) != bytes) {
    return nullptr;
  }
  void* address = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd.get(), 0);
  if (address == MAP_FAILED) fail("map", file, errno);
  const std::shared_ptr<const CacheFile> mapping(
      new CacheFile(static_cast<std::uint8_t*>(address), bytes));
  const Parts parts{mapping->address_, wanted};
  if (!parts.is_ours()) return nullptr;
  const fs::path note = beside(file, ".checked");
  std::string stamp;
  std::getline(std::ifstream(note), stamp);
  if (stamp == stamp_of(status)) return mapping;
  if (!all_good(parts, threads)) return nullptr;
  try {
    base::write_file(note, stamp_of(status) + "\n", {.make_folders = true});
  } catch (const std::exception&) {
    // A read-only folder: the pictures are read at every opening.
  }
  return mapping;
}

void CacheFile::build(const fs::path& file, const CacheShape& shape, unsigned threads,
                      const std::vector<std::size_t>& order,
                      const std::function<void(std::size_t, std::span<std::uint8_t>)>& fill,
                      const std::function<void(std::size_t)>& done) {
  const fs::path temporary = beside(file, ".tmp");  // the lock is held, so there is one builder
  const std::size_t bytes = bytes_of(shape);
  {
    const FileDescriptor fd(temporary, O_RDWR | O_CREAT);
    if (!fd.is_open()) fail("write", temporary, errno);
    struct stat status{};
    if (::fstat(fd.get(), &status) != 0) fail("read", temporary, errno);
    if (static_cast<std::uint64_t>(status.st_size) != bytes && ::ftruncate(fd.get(), 0) != 0) {
      fail("write", temporary, errno);
    }
    reserve(fd, temporary, bytes);
    void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
    if (address == MAP_FAILED) fail("map", temporary, errno);
    const CacheFile mapping(static_cast<std::uint8_t*>(address), bytes);
    const Parts parts{mapping.address_, shape};
    if (!parts.is_ours()) {
      std::memset(parts.table(), 0, shape.pictures * sizeof(std::uint64_t));
      const Header header{.magic = kMagic,
                          .key = shape.key,
                          .pictures = shape.pictures,
                          .picture_bytes = shape.picture_bytes};
      std::memcpy(mapping.address_, &header, sizeof(header));
    }
    std::vector<std::size_t> missing;
    for (const std::size_t i : order) {
      if (!parts.is_good(i)) missing.push_back(i);
    }
    done(shape.pictures - missing.size());
    std::mutex mutex;
    try {
      parallel_for(missing.size(), threads, [&](std::size_t m) {
        fill(missing[m], {parts.picture(missing[m]), shape.picture_bytes});
        parts.set_good(missing[m]);
        const std::lock_guard lock(mutex);
        done(1);
      });
    } catch (...) {
      std::error_code ignored;
      fs::remove(temporary, ignored);
      throw;
    }
    Header header = parts.header();
    header.checksum = parts.table_checksum();
    std::memcpy(mapping.address_, &header, sizeof(header));
    if (::msync(address, bytes, MS_SYNC) != 0 || ::fsync(fd.get()) != 0) {
      fail("write", temporary, errno);
    }
  }
  if (::rename(temporary.c_str(), file.c_str()) != 0) fail("write", file, errno);
  base::sync_folder_of(file);
}

CacheFile::~CacheFile() {
  ::munmap(address_, bytes_);
}

const std::uint8_t* CacheFile::pictures() const {
  return address_ + sizeof(Header);
}

FileLock::FileLock(const fs::path& file)
    : fd_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644)) {
  if (fd_ < 0) fail("write", file, errno);
  while (::flock(fd_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    ::close(fd_);
    fail("lock", file, error);
  }
}

FileLock::~FileLock() {
  ::close(fd_);
}

}  // namespace petlab::datasets
