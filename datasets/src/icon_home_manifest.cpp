#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/icon_home.hpp"

#include <nlohmann/json.hpp>

#include <set>
#include <tuple>

namespace petlab::datasets {
namespace {

using base::Error;
using base::ErrorKind;

void check_row(const IconHomeRow& row, const std::string& where) {
  const auto plain = [](const std::string& text, bool blanks) {
    constexpr const char* kLetters = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    return !text.empty() &&
           text.find_first_not_of(kLetters + std::string(blanks ? " " : "")) == std::string::npos;
  };
  if (!plain(row.domain, false) || !plain(row.class_name, true) || !plain(row.set, false) ||
      !plain(row.icon, false)) {
    throw Error(ErrorKind::data,
                where + ": a name is empty or holds other signs than a-z, 0-9, '-' and '_'");
  }
}

}  // namespace

IconHomeManifest read_icon_home_manifest(const std::filesystem::path& recipe_dir) {
  const auto csv = recipe_dir / "manifest.csv";
  const auto file = recipe_dir / "manifest.json";
  IconHomeManifest manifest;
  std::size_t pictures = 0;
  std::string package;
  std::map<std::string, std::size_t> stated;
  try {
    const nlohmann::json document =
        base::parse_json(base::read_text_file(file), base::printable(file));
    manifest.version = document.at("version").get<std::string>();
    manifest.sha256 = document.at("sha256").get<std::string>();
    manifest.picture_size = document.at("picture_size").get<int>();
    pictures = document.at("pictures").get<std::size_t>();
    package = document.at("package_version").get<std::string>();
    stated = document.at("domains").get<std::map<std::string, std::size_t>>();
  } catch (const nlohmann::json::exception& e) {
    throw Error(ErrorKind::data, file.string() + " is not a manifest description: " + e.what());
  }
  if (package != kIconifyVersion) {
    throw Error(ErrorKind::data, file.string() + " is for package version " + package +
                                     ", this petlab is for " + kIconifyVersion);
  }
  const std::vector<std::uint8_t> bytes = base::read_file(csv);
  base::Sha256 hash;
  hash.update(bytes);
  const std::string actual = hash.finish_hex();
  if (actual != manifest.sha256) {
    throw Error(ErrorKind::data, csv.string() + " has SHA-256 " + actual + ", but " +
                                     file.string() + " states " + manifest.sha256 +
                                     ": the manifest was changed without a new version");
  }
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  std::map<std::string, std::size_t> counts;
  std::size_t line = 1;
  for (const auto& [domain, class_name, set, icon] :
       parse_csv<4>(bytes, csv, {"domain", "class", "set", "icon"})) {
    const std::string where = csv.string() + " line " + std::to_string(++line);
    manifest.rows.push_back({domain, class_name, set, icon});
    check_row(manifest.rows.back(), where);
    if (!seen.insert({domain, set, icon}).second) {
      throw Error(ErrorKind::data,
                  where + ": " + set + "/" + icon + " is in domain '" + domain + "' twice");
    }
    ++counts[domain];
  }
  if (manifest.rows.size() != pictures || counts != stated) {
    throw Error(ErrorKind::data, csv.string() + " has " + std::to_string(manifest.rows.size()) +
                                     " images, and " + file.string() + " states other counts (" +
                                     std::to_string(pictures) + ")");
  }
  return manifest;
}

}  // namespace petlab::datasets
