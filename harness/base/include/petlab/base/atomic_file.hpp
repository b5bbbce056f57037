#pragma once

#include "petlab/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace petlab::base {

/// What a file must outlive: the end of this process, or a loss of power too, which costs a wait
/// for the disk.
enum class Durability { process, power_loss };

struct WriteOptions {
  Durability durability = Durability::power_loss;
  ErrorKind failure = ErrorKind::data;  ///< of the Error when the file cannot be written
  bool make_folders = false;            ///< those above it that are not there
};

/// Writes a file that is either whole or not there: everything goes to a file beside it, whose name
/// begins with its own and ".part", and commit() renames that. Without commit() it is removed. No
/// link is followed, and no file of that name that is there already is written to. Throws Error
/// naming the file.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path file, const WriteOptions& options = {});
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Ends the writing and gives the descriptor back. A commit() behind it asks for no more room, so
  /// several files can be closed first and then committed together.
  void close();
  void commit();

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path file_;
  std::filesystem::path draft_;
  WriteOptions options_;
  int descriptor_ = -1;
  bool is_draft_ = true;  ///< there is a draft to be removed
};

/// Makes a rename to `file` outlive a loss of power. A file system that cannot do so is no error.
void sync_folder_of(const std::filesystem::path& file);

/// A whole file at once.
void write_file(const std::filesystem::path& file, std::span<const std::uint8_t> bytes,
                const WriteOptions& options = {});
void write_file(const std::filesystem::path& file, std::string_view text,
                const WriteOptions& options = {});

}  // namespace petlab::base
