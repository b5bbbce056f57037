#include "petlab/base/atomic_file.hpp"

#include "petlab/base/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace petlab::base {
namespace {

/// Of its own for each process and for each of its threads.
std::filesystem::path draft_of(const std::filesystem::path& file) {
  static std::atomic<unsigned> counter{0};
  std::filesystem::path draft = file;
  draft += ".part" + std::to_string(::getpid()) + "." + std::to_string(counter++);
  return draft;
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path file, const WriteOptions& options)
    : file_(std::move(file)), draft_(draft_of(file_)), options_(options) {
  if (options_.make_folders && file_.has_parent_path()) {
    std::error_code failed;
    std::filesystem::create_directories(file_.parent_path(), failed);
    if (failed)
      throw Error(options_.failure, "cannot make the folder '" + printable(file_.parent_path()) +
                                        "': " + failed.message());
  }
  descriptor_ = ::open(draft_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail();
}

AtomicFile::~AtomicFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (is_draft_) ::unlink(draft_.c_str());
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

void AtomicFile::close() {
  if (descriptor_ < 0) return;
  if (options_.durability == Durability::power_loss && ::fsync(descriptor_) != 0) fail();
  const int closed = ::close(descriptor_);
  descriptor_ = -1;
  if (closed != 0) fail();
}

void AtomicFile::commit() {
  close();
  if (std::rename(draft_.c_str(), file_.c_str()) != 0) fail();
  is_draft_ = false;
}

void AtomicFile::fail() const {
  const char* reason = std::strerror(errno);
  throw Error(options_.failure, "cannot write the file '" + printable(file_) + "': " + reason);
}

void write_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                const WriteOptions& options) {
  AtomicFile out(file, options);
  out.write(bytes.data(), bytes.size());
  out.commit();
}

void write_file(const std::filesystem::path& file, std::string_view text,
                const WriteOptions& options) {
  AtomicFile out(file, options);
  out.write(text);
  out.commit();
}

}  // namespace petlab::base
