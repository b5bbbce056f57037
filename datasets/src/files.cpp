#include "files.hpp"

#include "petlab/base/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace petlab::datasets {
namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& file) {
  throw base::Error(base::ErrorKind::data,
                    std::string(what) + " " + printable(file) + ": " + std::strerror(errno));
}

struct OpenFile {
  OpenFile(const std::filesystem::path& file, int flags)
      : fd(::open(file.c_str(), flags | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd;
};

/// Length of the UTF-8 character at `at`, 0 when there is none.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return 0;
  }
  return length;
}

}  // namespace

std::string printable(const std::filesystem::path& path) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const std::string& text = path.native();
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = utf8_length(text, i);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      result.append("\\x").append(1, kDigits[byte >> 4U]).append(1, kDigits[byte & 15U]);
      ++i;
    } else {
      result.append(text, i, length);
      i += length;
    }
  }
  return result;
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& file, std::uint64_t max_bytes) {
  // Not to wait for the other end of a pipe.
  const OpenFile open(file, O_RDONLY | O_NONBLOCK);
  if (open.fd < 0) fail("cannot open", file);
  struct stat status{};
  if (::fstat(open.fd, &status) != 0) fail("cannot read", file);
  if (!S_ISREG(status.st_mode)) {
    throw base::Error(base::ErrorKind::data,
                      printable(file) +
                          (S_ISDIR(status.st_mode) ? " is a folder" : " is a device") +
                          ", expected a file");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes) {
    throw base::Error(base::ErrorKind::data, printable(file) + " has " + std::to_string(size) +
                                                 " bytes, expected at most " +
                                                 std::to_string(max_bytes));
  }
  std::vector<std::uint8_t> bytes(size);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::read(open.fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("cannot read", file);
    if (n == 0) break;  // somebody cut it meanwhile
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

void write_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                Durability durability) {
  static std::atomic<unsigned> counter{0};
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path());
  auto temporary = file;
  temporary += ".tmp" + std::to_string(::getpid()) + "." + std::to_string(counter++);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail("cannot write", temporary);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0) {
      if (errno == EINTR) continue;
      const int saved = errno;
      ::close(fd);
      ::unlink(temporary.c_str());
      errno = saved;
      fail("cannot write", file);
    }
    done += static_cast<std::size_t>(n);
  }
  const bool synced = durability == Durability::process || ::fsync(fd) == 0;
  if (::close(fd) != 0 || !synced) fail("cannot write", file);
  if (::rename(temporary.c_str(), file.c_str()) != 0) fail("cannot write", file);
}

void write_file(const std::filesystem::path& file, std::string_view text) {
  write_file(file, std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

}  // namespace petlab::datasets
