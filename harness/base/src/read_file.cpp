#include "petlab/base/read_file.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace petlab::base {
namespace {

[[noreturn]] void fail(const std::filesystem::path& file) {
  const char* reason = std::strerror(errno);
  throw Error(ErrorKind::data, "cannot read the file '" + printable(file) + "': " + reason);
}

struct OpenFile {
  // Not to wait for the other end of a pipe.
  explicit OpenFile(const std::filesystem::path& file)
      : fd(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {}
  ~OpenFile() {
    if (fd >= 0) ::close(fd);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  int fd;
};

template <typename Bytes>
Bytes read(const std::filesystem::path& file, std::uint64_t max_bytes) {
  const OpenFile open(file);
  if (open.fd < 0) fail(file);
  struct stat status{};
  if (::fstat(open.fd, &status) != 0) fail(file);
  if (!S_ISREG(status.st_mode))
    throw Error(ErrorKind::data, "'" + printable(file) + "'" +
                                     (S_ISDIR(status.st_mode) ? " is a folder" : " is a device") +
                                     ", expected a file");
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > max_bytes)
    throw Error(ErrorKind::data, "'" + printable(file) + "' has " + std::to_string(size) +
                                     " bytes, expected at most " + std::to_string(max_bytes));
  Bytes bytes(size, 0);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto n = ::read(open.fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(file);
    if (n == 0) break;  // somebody cut it meanwhile
    done += static_cast<std::size_t>(n);
  }
  bytes.resize(done);
  return bytes;
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& file, std::uint64_t max_bytes) {
  return read<std::vector<std::uint8_t>>(file, max_bytes);
}

std::string read_text_file(const std::filesystem::path& file, std::uint64_t max_bytes) {
  return read<std::string>(file, max_bytes);
}

}  // namespace petlab::base
