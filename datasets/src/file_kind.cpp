#include "file_kind.hpp"

#include "decode.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using namespace std::string_view_literals;

std::string ending_of(const fs::path& file) {
  return lower_case(file.extension().string());
}

bool is_read(const std::string& ending) {
  // The second line: JPEG, BMP and PNG under other names (MPO: the first picture of a JPEG).
  static const std::set<std::string> endings{".jpg",   ".jpeg", ".jpe", ".jfif", ".png",
                                             ".webp",  ".bmp",  ".gif", ".mpo",  ".jps",
                                             ".pjpeg", ".pjp",  ".dib", ".apng"};
  return endings.contains(ending);
}

bool is_not_read(const std::string& ending) {
  static const std::set<std::string> endings{
      ".tif", ".tiff", ".avif", ".avifs", ".heic", ".heif", ".hif",  ".jp2",  ".j2k", ".j2c",
      ".jpc", ".jpf",  ".jpx",  ".jxl",   ".jxr",  ".wdp",  ".ppm",  ".pgm",  ".pbm", ".pnm",
      ".pam", ".pfm",  ".tga",  ".svg",   ".svgz", ".psd",  ".ico",  ".cur",  ".exr", ".hdr",
      ".dds", ".pcx",  ".sgi",  ".ras",   ".xbm",  ".xpm",  ".eps",  ".dng",  ".cr2", ".cr3",
      ".nef", ".arw",  ".orf",  ".rw2",   ".raf",  ".qoi",  ".flif", ".fits", ".dcm"};
  return endings.contains(ending);
}

std::string first_bytes(const fs::path& file) {
  std::string bytes(32, '\0');
  std::ifstream in(file, std::ios::binary);
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return bytes;
}

/// Whether the bytes begin a picture of a format that petlab does not read.
bool begins_foreign_picture(std::string_view bytes) {
  constexpr std::array kStarts{
      "II*\0"sv,      "MM\0*"sv,          "\0\0\0\x0CjP  "sv, "\xFF\x4F\xFF\x51"sv,
      "\xFF\x0A"sv,   "\0\0\0\x0CJXL "sv, "8BPS"sv,           "\x76\x2F\x31\x01"sv,
      "#?RADIANCE"sv, "DDS "sv,           "qoif"sv,           "II\xBC"sv};
  if (std::any_of(kStarts.begin(), kStarts.end(),
                  [&](std::string_view start) { return bytes.starts_with(start); }))
    return true;
  if (bytes.size() > 12 && bytes.substr(4, 4) == "ftyp") {
    constexpr std::array kBrands{"heic"sv, "heix"sv, "hevc"sv, "heim"sv, "heis"sv,
                                 "mif1"sv, "msf1"sv, "avif"sv, "avis"sv};
    return std::find(kBrands.begin(), kBrands.end(), bytes.substr(8, 4)) != kBrands.end();
  }
  // Portable maps: P1 to P7 and a blank.
  return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' &&
         (bytes[2] == '\n' || bytes[2] == ' ' || bytes[2] == '\r');
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// "4 .heif, 2 .tga, 1 without ending".
std::string endings_text(const std::vector<fs::path>& files) {
  std::map<std::string, std::size_t> counts;
  for (const fs::path& file : files)
    ++counts[ending_of(file)];
  std::vector<std::string> texts;
  for (const auto& [ending, count] : counts)
    texts.push_back(std::to_string(count) + " " +
                    (ending.empty() ? "without ending" : base::escaped(ending)));
  return base::joined(texts);
}

}  // namespace

bool has_picture_ending(const fs::path& file) {
  const std::string ending = ending_of(file);
  return is_read(ending) || is_not_read(ending);
}

FileKind file_kind(const fs::path& file) {
  const std::string ending = ending_of(file);
  if (is_read(ending)) return FileKind::picture;
  if (is_not_read(ending)) return FileKind::foreign;
  const std::string bytes = first_bytes(file);
  // A copy that an editor has left behind (cat.jpg~) must not become a second picture.
  if (is_known_picture(bytes)) return ending.empty() ? FileKind::picture : FileKind::foreign;
  return begins_foreign_picture(bytes) ? FileKind::foreign : FileKind::other;
}

std::vector<std::string> settle(const PassedOver& passed, const fs::path& root) {
  std::vector<std::string> notes;
  if (!passed.foreign.empty()) {
    const fs::path& first = passed.foreign.front();
    const std::size_t count = passed.foreign.size();
    if (!passed.leave_out_foreign)
      base::throw_data_error(
          base::printable(first) + " has a format that petlab cannot read" +
          (count == 1 ? ""
                      : ", as " + std::to_string(count - 1) + " more in " + base::printable(root) +
                            " have (" + endings_text(passed.foreign) + ")") +
          ": convert such images to PNG, take them out of the folder, or leave them out with "
          "other-formats = leave-out in [dataset] (--other-formats leave-out)");
    notes.push_back("left out: " + counted(count, "image") +
                    " in formats that petlab cannot read (" + endings_text(passed.foreign) + ")");
  }
  const auto say = [&](const std::vector<fs::path>& files, const char* what, const char* where) {
    if (!files.empty())
      notes.push_back("left out: " + counted(files.size(), what) + where + ", such as " +
                      base::printable(files.front()));
  };
  say(passed.outside, "image", " outside of the class folders");
  say(passed.others, "file", " in class folders that are no images");
  return notes;
}

}  // namespace petlab::datasets
