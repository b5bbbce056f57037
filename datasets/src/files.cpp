#include "files.hpp"

#include "petlab/sdk/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace petlab::datasets {
namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& file) {
  throw sdk::Error(sdk::ErrorKind::data,
                   std::string(what) + " " + file.string() + ": " + std::strerror(errno));
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  if (!in) fail("cannot open", file);
  const auto size = static_cast<std::streamoff>(in.tellg());
  if (size < 0) fail("cannot read", file);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(bytes.data()), size);
  if (!in) fail("cannot read", file);
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
