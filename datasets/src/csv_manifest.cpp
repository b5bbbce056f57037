#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/csv.hpp"
#include "published.hpp"

#include <algorithm>
#include <map>
#include <system_error>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

constexpr const char* kExpectedColumns =
    "expected a CSV file with the columns path, domain, class and optionally split";

Part parse_part(const std::string& text, const std::string& where) {
  const std::string key = lower_case(text);
  if (key.empty()) return Part::none;
  if (key == "train") return Part::train;
  if (key == "val" || key == "validation") return Part::validation;
  if (key == "test") return Part::test;
  throw Error(ErrorKind::data, where + ": split is '" + base::escaped(text) +
                                   "', expected train, val, test or nothing");
}

fs::path manifest_file(const fs::path& root) {
  std::error_code ignored;
  if (fs::is_directory(root, ignored)) {
    if (fs::is_regular_file(root / "manifest.csv", ignored)) return root / "manifest.csv";
    throw Error(ErrorKind::data,
                "folder " + base::printable(root) + " holds no manifest.csv: " + kExpectedColumns);
  }
  if (!fs::exists(root, ignored))
    throw Error(ErrorKind::data, base::printable(root) + " does not exist: " + kExpectedColumns);
  return root;
}

/// C:\pictures\1.jpg or \\server\...
bool is_windows_path(const std::string& path) {
  return path.starts_with("\\\\") ||
         (path.size() > 2 && path[1] == ':' && (path[2] == '\\' || path[2] == '/'));
}

/// A path as Windows writes it (sub\1.jpg) is read as one with '/', where there is no such file.
fs::path picture_of(const fs::path& folder, const std::string& path) {
  const fs::path picture = (folder / path).lexically_normal();
  std::error_code ignored;
  if (path.find('\\') == std::string::npos || fs::exists(picture, ignored)) return picture;
  std::string slashes = path;
  std::replace(slashes.begin(), slashes.end(), '\\', '/');
  const fs::path other = (folder / slashes).lexically_normal();
  return fs::exists(other, ignored) ? other : picture;
}

}  // namespace

Dataset load_csv_manifest(const fs::path& root, const LoadOptions& options) {
  const fs::path file = manifest_file(root);
  std::vector<Entry> entries;
  std::map<fs::path, std::size_t> lines;
  for (const CsvRow& row : read_csv_rows(
           file,
           {.required = {"path", "domain", "class"}, .optional = {"split"}, .others = true})) {
    const std::string where = base::printable(file) + " line " + std::to_string(row.line);
    const std::string& path = row.values[0];
    for (std::size_t i = 0; i < 3; ++i)
      if (row.values[i].empty())
        throw Error(ErrorKind::data, where + ": the value of column '" +
                                         (i == 0   ? "path"
                                          : i == 1 ? "domain"
                                                   : "class") +
                                         "' is empty");
    const fs::path picture = picture_of(file.parent_path(), path);
    const auto [twin, fresh] = lines.emplace(picture, row.line);
    if (!fresh)
      throw Error(ErrorKind::data, where + ": '" + base::escaped(path) +
                                       "' is listed already, in line " +
                                       std::to_string(twin->second));
    std::error_code ignored;
    if (!fs::is_regular_file(picture, ignored))
      throw Error(
          ErrorKind::data,
          where + ": " + base::printable(picture) + " does not exist" +
              (is_windows_path(path) ? ": a path of Windows; expected one that starts at the "
                                       "folder of the CSV file"
                                     : ""));
    entries.push_back(
        {row.values[1], row.values[2], picture, parse_part(row.values[3], where), path});
  }
  if (entries.empty()) throw Error(ErrorKind::data, base::printable(file) + " lists no image");
  return assemble(entries, {.name = "csv",
                            .version = "1",
                            .root = file,
                            .domains = options.domains,
                            .fingerprint = options.fingerprint,
                            .threads = options.threads});
}

}  // namespace petlab::datasets
