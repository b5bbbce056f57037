#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace petlab::clip {

/// One file in a ZIP archive.
struct ZipEntry {
  bool is_stored = false;  ///< as it is; compressed entries have no place in a mapping
  std::size_t offset = 0;  ///< of its bytes, from the start of the archive; stored entries only
  std::size_t size = 0;
  std::uint32_t crc = 0;
};

/// The files of a ZIP archive (ZIP64 too) by name. All numbers are checked against the archive, and
/// stored files may not overlap. `where` names the archive in messages. Throws Error(data).
[[nodiscard]] std::map<std::string, ZipEntry> parse_zip(std::span<const unsigned char> archive,
                                                        const std::string& where);

/// CRC-32 of bytes that follow others with the CRC-32 `before`; 0 where none went before.
[[nodiscard]] std::uint32_t checksum(std::span<const unsigned char> bytes, std::uint32_t before);

}  // namespace petlab::clip
