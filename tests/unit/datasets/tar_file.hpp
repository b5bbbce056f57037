#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace petlab::datasets {

using TarMembers = std::vector<std::pair<std::string, std::string>>;

/// Writes a tar file of members, each a path and its content. A path that ends with "/" is a
/// folder, a member whose content begins with "->" a symbolic link.
inline void write_tar(const std::filesystem::path& file, const TarMembers& members,
                      int format = ARCHIVE_FORMAT_TAR_USTAR) {
  archive* out = archive_write_new();
  const auto check = [&](int outcome) {
    if (outcome != ARCHIVE_OK) throw std::runtime_error(archive_error_string(out));
  };
  archive_write_set_format(out, format);
  check(archive_write_open_filename(out, file.c_str()));
  for (const auto& [path, content] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, path.c_str());
    archive_entry_set_perm(entry, 0644);
    const bool is_link = content.starts_with("->");
    archive_entry_set_filetype(entry, is_link               ? AE_IFLNK
                                      : path.ends_with("/") ? AE_IFDIR
                                                            : AE_IFREG);
    if (is_link) archive_entry_set_symlink(entry, content.c_str() + 2);
    archive_entry_set_size(entry, is_link ? 0 : static_cast<la_int64_t>(content.size()));
    check(archive_write_header(out, entry));
    if (!is_link) archive_write_data(out, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_close(out);
  archive_write_free(out);
}

}  // namespace petlab::datasets
