#include "zip_directory.hpp"

#include "petlab/base/error.hpp"
#include "shown_text.hpp"

#include <zlib.h>

#include <algorithm>
#include <vector>

namespace petlab::clip {

namespace {

// Fields and signatures as in PKWARE's APPNOTE, sections 4.3.7 to 4.3.16.
constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kLocalSize = 30;
constexpr std::size_t kCentralSize = 46;
constexpr std::size_t kEndSize = 22;
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kLocator64Size = 20;
constexpr std::size_t kMaxComment = 65535;
constexpr std::uint32_t kIn64 = 0xFFFFFFFF;  // the number stands in the 64-bit field

class Zip {
 public:
  Zip(std::span<const unsigned char> bytes, const std::string& where)
      : bytes_(bytes), where_(where) {}

  std::map<std::string, ZipEntry> read() const {
    const Directory directory = find_directory();
    std::map<std::string, ZipEntry> entries;
    std::size_t place = directory.offset;
    for (std::uint64_t i = 0; i < directory.count; ++i)
      place = read_entry(place, directory, entries);
    check_overlaps(entries);
    return entries;
  }

 private:
  struct Directory {
    std::uint64_t count = 0;
    std::size_t offset = 0;
    std::size_t end = 0;
  };

  [[noreturn]] void fail(const std::string& what) const {
    throw base::Error(base::ErrorKind::data,
                      "the archive '" + where_ + "' is damaged or no PyTorch file: " + what);
  }

  /// Little endian; the caller has checked that the bytes are there.
  [[nodiscard]] std::uint64_t number(std::size_t place, std::size_t size) const {
    std::uint64_t value = 0;
    for (std::size_t i = size; i-- > 0;)
      value = value << 8 | bytes_[place + i];
    return value;
  }

  [[nodiscard]] bool fits(std::uint64_t place, std::uint64_t size, std::uint64_t end) const {
    return place <= end && size <= end - place;
  }

  [[nodiscard]] std::size_t find_end() const {
    if (bytes_.size() < kEndSize) fail("it has no directory of its files");
    const std::size_t last = bytes_.size() - kEndSize;
    const std::size_t first = last > kMaxComment ? last - kMaxComment : 0;
    for (std::size_t place = last + 1; place-- > first;)
      if (number(place, 4) == kEndSignature &&
          number(place + 20, 2) == bytes_.size() - place - kEndSize)
        return place;
    fail("it has no directory of its files");
  }

  [[nodiscard]] Directory find_directory() const {
    const std::size_t end = find_end();
    std::uint64_t count = number(end + 10, 2);
    std::uint64_t size = number(end + 12, 4);
    std::uint64_t offset = number(end + 16, 4);
    std::size_t limit = end;
    const bool has_64 =
        end >= kLocator64Size && number(end - kLocator64Size, 4) == kLocator64Signature;
    if (has_64) {
      const std::uint64_t place = number(end - kLocator64Size + 8, 8);
      if (!fits(place, kEnd64Size, end - kLocator64Size) || number(place, 4) != kEnd64Signature)
        fail("its 64-bit directory is not where it says");
      count = number(place + 32, 8);
      size = number(place + 40, 8);
      offset = number(place + 48, 8);
      limit = place;
    }
    if (!fits(offset, size, limit)) fail("its directory lies outside of it");
    if (count > size / kCentralSize) fail("its directory is shorter than its number of files");
    return {count, static_cast<std::size_t>(offset), static_cast<std::size_t>(offset + size)};
  }

  std::size_t read_entry(std::size_t place, const Directory& directory,
                         std::map<std::string, ZipEntry>& entries) const {
    if (!fits(place, kCentralSize, directory.end) || number(place, 4) != kCentralSignature)
      fail("its directory is cut or garbled");
    const std::size_t name_size = number(place + 28, 2);
    const std::size_t extra_size = number(place + 30, 2);
    const std::size_t next = place + kCentralSize + name_size + extra_size + number(place + 32, 2);
    if (next > directory.end) fail("its directory is cut or garbled");
    const std::string name(reinterpret_cast<const char*>(bytes_.data()) + place + kCentralSize,
                           name_size);
    const auto refuse = [&](const std::string& what) {
      fail("its file '" + shown(name) + "' " + what);
    };
    if ((number(place + 8, 2) & 1) != 0) refuse("is encrypted");
    ZipEntry entry;
    entry.is_stored = number(place + 10, 2) == 0;
    entry.crc = static_cast<std::uint32_t>(number(place + 16, 4));
    std::uint64_t packed = number(place + 20, 4);
    std::uint64_t size = number(place + 24, 4);
    std::uint64_t local = number(place + 42, 4);
    std::size_t extra = place + kCentralSize + name_size;
    for (const std::size_t end = extra + extra_size; extra + 4 <= end;) {
      const std::size_t field = number(extra + 2, 2);
      if (extra + 4 + field > end) refuse("has a cut extra field");
      if (number(extra, 2) == 1) {
        // In this order, and only those that do not fit the 32-bit field.
        std::size_t at = extra + 4;
        for (std::uint64_t* value : {&size, &packed, &local})
          if (*value == kIn64) {
            if (at + 8 > extra + 4 + field) refuse("has a cut 64-bit field");
            *value = number(at, 8);
            at += 8;
          }
      }
      extra += 4 + field;
    }
    if (entry.is_stored) {
      if (packed != size) refuse("is stored with two sizes");
      if (!fits(local, kLocalSize, directory.offset) || number(local, 4) != kLocalSignature)
        refuse("is not where the directory says");
      const std::uint64_t data = local + kLocalSize + number(local + 26, 2) + number(local + 28, 2);
      if (!fits(data, size, directory.offset)) refuse("lies outside of it");
      entry.offset = static_cast<std::size_t>(data);
    }
    entry.size = static_cast<std::size_t>(size);
    if (!entries.emplace(name, entry).second) refuse("is there twice");
    return next;
  }

  void check_overlaps(const std::map<std::string, ZipEntry>& entries) const {
    std::vector<std::pair<std::size_t, std::size_t>> parts;
    for (const auto& [name, entry] : entries)
      if (entry.is_stored && entry.size > 0)
        parts.emplace_back(entry.offset, entry.offset + entry.size);
    std::sort(parts.begin(), parts.end());
    for (std::size_t i = 1; i < parts.size(); ++i)
      if (parts[i].first < parts[i - 1].second) fail("two of its files overlap");
  }

  std::span<const unsigned char> bytes_;
  const std::string& where_;
};

}  // namespace

std::map<std::string, ZipEntry> parse_zip(std::span<const unsigned char> archive,
                                          const std::string& where) {
  return Zip(archive, where).read();
}

std::uint32_t checksum(std::span<const unsigned char> bytes, std::uint32_t before) {
  return static_cast<std::uint32_t>(crc32_z(before, bytes.data(), bytes.size()));
}

}  // namespace petlab::clip
