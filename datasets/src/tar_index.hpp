#pragma once

#include "petlab/base/mapped_file.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::datasets {

/// A file in a tar file: `size` bytes from byte `at`.
struct TarMember {
  std::string path;
  std::uint64_t at = 0;
  std::uint64_t size = 0;
};

/// The regular files in a tar file (ustar, GNU, pax), in its order, by libarchive; folders are left
/// out. Throws base::Error(data) naming file and member for: no tar file, one that is cut short,
/// goes on behind its end (two joined by cat), is compressed (its members cannot be read one by
/// one) or a pointer of Git LFS, a path that leaves the folder, links and other members that are no
/// files, a path that is there twice.
[[nodiscard]] std::vector<TarMember> read_tar_index(const base::MappedFile& file);

}  // namespace petlab::datasets
