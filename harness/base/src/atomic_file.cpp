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
#include <system_error>

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
    : file_(std::move(file)), options_(options) {
  if (options_.make_folders && file_.has_parent_path()) {
    std::error_code failed;
    std::filesystem::create_directories(file_.parent_path(), failed);
    if (failed)
      throw Error(options_.failure, "cannot make the folder '" + printable(file_.parent_path()) +
                                        "': " + failed.message());
  }
  // A file that is there already, or a link, is another's: it is left alone, and the next name is
  // tried.
  do {
    draft_ = draft_of(file_);
    descriptor_ =
        ::open(draft_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  } while (descriptor_ < 0 && errno == EEXIST);
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
  if (options_.durability == Durability::power_loss) sync_folder_of(file_);
}

void AtomicFile::fail() const {
  const char* reason = std::strerror(errno);
  throw Error(options_.failure, "cannot write the file '" + printable(file_) + "': " + reason);
}

void sync_folder_of(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  (void)::fsync(descriptor);
  ::close(descriptor);
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
