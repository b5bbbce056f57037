#include "atomic_file.hpp"

#include "petlab/base/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

AtomicFile::AtomicFile(std::filesystem::path file)
    : file_(std::move(file)), temporary_(file_.string() + ".part" + std::to_string(::getpid())) {
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail();
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, std::size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    // Linux writes at most 2 GiB a call.
    const ssize_t written = ::write(descriptor_, next, std::min<std::size_t>(size, 1U << 30));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail();
    next += written;
    size -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) fail();
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0 || std::rename(temporary_.c_str(), file_.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary_.c_str());
    errno = reason;
    fail();
  }
}

void AtomicFile::fail() const {
  throw Error(ErrorKind::data, "cannot write '" + file_.string() + "': " + std::strerror(errno));
}

void write_text_file(const std::filesystem::path& file, std::string_view text) {
  AtomicFile out(file);
  out.write(text);
  out.commit();
}

std::string read_text_file(const std::filesystem::path& file, std::size_t max_bytes) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error)
    throw Error(ErrorKind::data, "cannot read '" + file.string() + "': " + error.message());
  if (size > max_bytes)
    throw Error(ErrorKind::data, "'" + file.string() + "' has " + std::to_string(size) +
                                     " bytes, expected at most " + std::to_string(max_bytes));
  std::ifstream in(file, std::ios::binary);
  std::string text(size, '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (!in)
    throw Error(ErrorKind::data, "cannot read '" + file.string() + "': " + std::strerror(errno));
  return text;
}

}  // namespace petlab::clip
