#include "petlab/datasets/lists.hpp"

#include "folder.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/base/text_encoding.hpp"
#include "tree.hpp"

#include <glob.h>

#include <algorithm>
#include <map>
#include <set>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::ErrorKind;

std::vector<std::string> parts_of_path(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find_first_of("/\\", at), path.size());
    if (slash > at) parts.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return parts;
}

/// Takes a line apart; false when it has another form.
bool parse_line(std::string line, ListRow& row) {
  const auto end = line.find_last_not_of(" \t\r");
  line.resize(end + 1);
  const auto blank = line.find_last_of(" \t");
  if (blank == std::string::npos) return false;
  const auto label =
      base::parse_number<decltype(row.label)>(std::string_view(line).substr(blank + 1));
  if (!label || *label < 0) return false;
  row.label = *label;
  row.path = line.substr(0, line.find_last_not_of(" \t", blank) + 1);
  std::vector<std::string> parts = parts_of_path(row.path);
  if (parts.size() < 3) return false;
  row.file_name = parts.back();
  row.class_name = parts[parts.size() - 2];
  std::size_t domain = parts.size() - 3;
  while (domain > 0 && (parts[domain] == "images" || part_of_folder(parts[domain])))
    --domain;
  row.domain = parts[domain];
  return true;
}

void read_one(ImageList& list, std::size_t index) {
  const fs::path& file = list.files[index];
  const auto bytes = base::read_file(file);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (base::is_lfs_pointer(text)) base::throw_data_error(base::printable(file) + base::kLfsPointer);
  std::string_view rest =
      base::without_byte_order_mark(text, base::printable(file), base::ErrorKind::data);
  const Part part = list_part(file);
  const std::size_t before = list.rows.size();
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::string_view row_text = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(row_text.size() + 1, rest.size()));
    if (row_text.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    ListRow row;
    if (!parse_line(std::string(row_text), row))
      base::throw_data_error(base::printable(file) + " line " + std::to_string(line) + ": '" +
                             base::escaped(row_text.substr(0, 80)) +
                             "' is not 'domain/class/file label'");
    row.part = part;
    row.file = index;
    row.line = line;
    list.rows.push_back(std::move(row));
  }
  if (list.rows.size() == before) base::throw_data_error(base::printable(file) + " lists no image");
}

/// Numbers and names of classes must be one to one, and the numbers without gaps.
void check_labels(const ImageList& list) {
  std::map<std::int64_t, const ListRow*> by_label;
  std::map<std::string, const ListRow*> by_name;
  for (const ListRow& row : list.rows) {
    const ListRow& label_twin = *by_label.emplace(row.label, &row).first->second;
    const ListRow& name_twin = *by_name.emplace(row.class_name, &row).first->second;
    if (label_twin.class_name != row.class_name)
      base::throw_data_error("label " + std::to_string(row.label) + " is class '" +
                             label_twin.class_name + "' in " + list.where(label_twin) + " and '" +
                             row.class_name + "' in " + list.where(row) +
                             ": the lists are not of one publication");
    if (name_twin.label != row.label)
      base::throw_data_error("class '" + row.class_name + "' has label " +
                             std::to_string(name_twin.label) + " in " + list.where(name_twin) +
                             " and " + std::to_string(row.label) + " in " + list.where(row) +
                             ": the lists are not of one publication");
  }
  const std::int64_t first = by_label.begin()->first;
  if (first > 1)
    base::throw_data_error("labels begin with " + std::to_string(first) + " ('" +
                           by_label.begin()->second->class_name + "', " +
                           list.where(*by_label.begin()->second) +
                           "), expected 0 or 1: name all lists of the set");
  std::int64_t expected = first;
  for (const auto& [label, row] : by_label) {
    if (label != expected)
      base::throw_data_error(
          "label " + std::to_string(expected) + " is left out before " + std::to_string(label) +
          " ('" + row->class_name + "', " + list.where(*row) +
          "): name all lists of the set, or give the classes numbers without gaps");
    ++expected;
  }
}

void check_duplicates(const ImageList& list) {
  std::map<std::string, const ListRow*> seen;
  for (const ListRow& row : list.rows) {
    const std::string key =
        name_key(row.domain) + "/" + name_key(row.class_name) + "/" + row.file_name;
    const auto [twin, fresh] = seen.emplace(key, &row);
    if (!fresh)
      base::throw_data_error(
          list.where(row) + ": '" + base::escaped(row.path) + "' is listed already, in " +
          list.where(*twin->second) +
          (row.part == twin->second->part
               ? ""
               : ": parts of a split overlap in no image; where the test lists hold all "
                 "images, "
                 "as those of PACS do, name the train and crossval lists and test on the latter "
                 "with validation = list in [dataset] (--validation list)"));
  }
}

std::set<std::string> words_of(const std::string& stem) {
  std::set<std::string> words;
  std::string word;
  for (const char c : lower_case(stem) + "_") {
    if (c == '_' || c == '-' || c == '.' || c == ' ') {
      words.insert(word);
      word.clear();
    } else {
      word += c;
    }
  }
  return words;
}

Part part_of_words(const std::set<std::string>& words) {
  if (words.contains("source")) return Part::none;
  if (words.contains("labeled") || words.contains("train")) return Part::train;
  if (words.contains("unlabeled") || words.contains("test")) return Part::test;
  for (const char* word : {"val", "valid", "validation", "crossval"})
    if (words.contains(word)) return Part::validation;
  return Part::none;
}

/// Parts between commas; those in braces belong to a pattern.
std::vector<std::string> split_at_commas(const std::string& text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '{' ? 1 : c == '}' ? -1 : 0;
    if (c == ',' && depth == 0)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  for (std::string& part : parts) {
    part.erase(0, part.find_first_not_of(" \t"));
    part.resize(part.find_last_not_of(" \t") + 1);
  }
  std::erase(parts, "");
  return parts;
}

std::vector<fs::path> matches(const fs::path& pattern) {
  std::error_code ignored;
  if (fs::exists(pattern, ignored)) return {pattern};
  glob_t found{};
  std::vector<fs::path> paths;
  if (::glob(pattern.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found) == 0)
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  return paths;
}

}  // namespace

std::string ImageList::where(const ListRow& row) const {
  return base::printable(files[row.file]) + " line " + std::to_string(row.line);
}

ImageList read_lists(const std::vector<fs::path>& files) {
  ImageList list;
  list.files = files;
  for (std::size_t i = 0; i < files.size(); ++i)
    read_one(list, i);
  if (list.rows.empty()) return list;
  check_duplicates(list);
  check_labels(list);
  return list;
}

Part list_part(const fs::path& file) {
  const std::set<std::string> words = words_of(file.stem().string());
  const Part part = part_of_words(words);
  if (part != Part::none || words.contains("source")) return part;
  return part_of_folder(file.parent_path()).value_or(Part::none);
}

std::vector<fs::path> expand_lists(const std::string& text, const fs::path& base) {
  std::set<fs::path> files;
  for (const std::string& one : split_at_commas(text)) {
    const std::size_t before = files.size();
    bool matched = false;
    for (const fs::path& path : matches(base / one)) {
      std::error_code ignored;
      if (!fs::is_directory(path, ignored)) {
        files.insert(path);
        continue;
      }
      matched = true;
      for (const fs::path& file : list_folder(path).files)
        if (file.extension() == ".txt" || file.extension() == ".csv") files.insert(file);
    }
    if (files.size() == before)
      throw Error(ErrorKind::config,
                  matched
                      ? "folder " + base::printable(base / one) + " holds no list (.txt or .csv)"
                      : "no file matches '" + base::printable(base / one) + "'");
  }
  return {files.begin(), files.end()};
}

std::size_t find_domain(const Dataset& dataset, const std::string& name) {
  static const std::map<std::string, std::string> short_names{{"ar", "art"},
                                                              {"cl", "clipart"},
                                                              {"pr", "product"},
                                                              {"rw", "realworld"},
                                                              {"real", "realworld"}};
  const auto find = [&](const std::string& key) {
    return static_cast<std::size_t>(
        std::find_if(dataset.domains.begin(), dataset.domains.end(),
                     [&](const Domain& domain) { return name_key(domain.name) == key; }) -
        dataset.domains.begin());
  };
  for (std::size_t d = 0; d < dataset.domains.size(); ++d)
    if (dataset.domains[d].name == name) return d;
  const std::string key = name_key(name);
  const std::size_t exact = find(key);
  if (exact < dataset.domains.size()) return exact;
  const auto longer = short_names.find(key);
  return longer == short_names.end() ? exact : find(longer->second);
}

}  // namespace petlab::datasets
