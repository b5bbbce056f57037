#include "tar_index.hpp"

#include "listed_pictures.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/text.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <set>
#include <span>
#include <string_view>

namespace petlab::datasets {
namespace {

using namespace std::string_view_literals;
using Archive = std::unique_ptr<archive, int (*)(archive*)>;

constexpr std::size_t kBlock = 512;

void check_start(std::string_view bytes, const std::string& where) {
  if (base::is_lfs_pointer(bytes)) base::throw_data_error(where + base::kLfsPointer);
  for (const std::string_view start : {"\x1F\x8B"sv, "BZh"sv,
                                       "\xFD"
                                       "7zXZ"sv,
                                       "\x28\xB5\x2F\xFD"sv})
    if (bytes.starts_with(start))
      base::throw_data_error(where +
                             " is compressed, so that its images cannot be read one by one: "
                             "unpack it to a plain .tar");
}

std::string reason_of(archive* reader) {
  const char* reason = archive_error_string(reader);
  return base::message_line(reason == nullptr ? "unknown" : reason, 200);
}

/// Where the bytes of the member lie whose header was just read. libarchive hands out pieces of the
/// mapping itself, since nothing has to be unpacked.
TarMember member_of(archive* reader, const std::string& path, std::uint64_t size,
                    std::span<const unsigned char> bytes, const std::string& where) {
  TarMember member{path, 0, size};
  if (size == 0) return member;
  const void* data = nullptr;
  std::size_t n = 0;
  la_int64_t offset = 0;
  if (archive_read_data_block(reader, &data, &n, &offset) < ARCHIVE_WARN || data == nullptr)
    base::throw_data_error(where + " is cut short in " + base::escaped(path) + " (" +
                           reason_of(reader) + "): fetch it again");
  const auto* begin = static_cast<const unsigned char*>(data);
  const bool is_inside = begin >= bytes.data() && begin < bytes.data() + bytes.size();
  if (!is_inside || offset != 0)
    base::throw_data_error(where + ": member " + base::escaped(path) +
                           " is stored in pieces, expected a plain file");
  member.at = static_cast<std::uint64_t>(begin - bytes.data());
  if (n < size || size > bytes.size() - member.at)
    base::throw_data_error(where + " is cut short in " + base::escaped(path) + ": fetch it again");
  return member;
}

/// A whole tar file ends with blocks of zeros, as far as it goes: what lies behind them is not
/// read. `read`: the bytes up to there.
void check_end(const std::vector<TarMember>& members, std::span<const unsigned char> bytes,
               std::uint64_t read, const std::string& where) {
  std::uint64_t end = 0;
  for (const TarMember& member : members)
    end = std::max(end, member.at + member.size);
  end = (end + kBlock - 1) / kBlock * kBlock;
  const bool has_end =
      end + kBlock <= bytes.size() &&
      std::all_of(bytes.end() - kBlock, bytes.end(), [](unsigned char byte) { return byte == 0; });
  if (!has_end)
    base::throw_data_error(where +
                           " is cut short: the end of the tar file is missing; fetch it again");
  const std::span<const unsigned char> behind =
      bytes.subspan(std::min<std::size_t>(read, bytes.size()));
  if (std::any_of(behind.begin(), behind.end(), [](unsigned char byte) { return byte != 0; }))
    base::throw_data_error(where +
                           " goes on behind the end of the tar file, as two that were joined do: "
                           "expected one tar file");
}

}  // namespace

std::vector<TarMember> read_tar_index(const base::MappedFile& file) {
  const std::string where = base::printable(file.path());
  const std::span<const unsigned char> bytes = file.bytes();
  if (bytes.empty()) base::throw_data_error(where + " is empty, expected a tar file");
  check_start(
      {reinterpret_cast<const char*>(bytes.data()), std::min<std::size_t>(bytes.size(), 64)},
      where);
  const Archive reader(archive_read_new(), archive_read_free);
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    base::throw_data_error(where + " is no tar file: " + reason_of(reader.get()));
  std::vector<TarMember> members;
  std::set<std::string> seen;
  archive_entry* entry = nullptr;
  int status = ARCHIVE_OK;
  while ((status = archive_read_next_header(reader.get(), &entry)) >= ARCHIVE_WARN &&
         status != ARCHIVE_EOF) {
    const char* name = archive_entry_pathname(entry);
    std::string path = name == nullptr ? "" : name;
    if (path.starts_with("./")) path.erase(0, 2);
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    if (leaves_folder(path))
      base::throw_data_error(where + ": the path of member '" + base::escaped(path) +
                             "' leads out of the folder");
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      base::throw_data_error(where + ": member '" + base::escaped(path) +
                             "' is a link or a device, expected files alone");
    if (!seen.insert(path).second)
      base::throw_data_error(where + ": member '" + base::escaped(path) + "' is there twice");
    members.push_back(member_of(
        reader.get(), path, static_cast<std::uint64_t>(archive_entry_size(entry)), bytes, where));
  }
  if (status != ARCHIVE_EOF)
    base::throw_data_error(where + (members.empty() ? " is no tar file: " : " is cut short: ") +
                           reason_of(reader.get()));
  check_end(members, bytes, static_cast<std::uint64_t>(archive_filter_bytes(reader.get(), 0)),
            where);
  return members;
}

}  // namespace petlab::datasets
