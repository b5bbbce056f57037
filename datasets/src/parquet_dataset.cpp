#include "folder.hpp"
#include "parquet_columns.hpp"
#include "parquet_pictures.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "shards.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;

/// The values of a column as names. Throws for a number that is none of them and for a row without
/// any.
class Names {
 public:
  Names(const NamedColumn& column, std::string where) : column_(column), where_(std::move(where)) {}

  [[nodiscard]] std::vector<std::string> read(ParquetReader& reader, std::size_t group,
                                              std::uint64_t first_row) const {
    std::vector<std::string> values;
    const auto row = [&] { return where_ + ": row " + std::to_string(first_row + values.size()); };
    if (column_.names.empty()) {
      for (const auto& text : reader.bytes(group, column_.index)) {
        if (!text) missing(row());
        values.push_back(*text);
      }
      return values;
    }
    const auto n = static_cast<std::int64_t>(column_.names.size());
    for (const auto& number : reader.integers(group, column_.index)) {
      if (!number) missing(row());
      if (*number < 0 || *number >= n)
        base::throw_data_error(row() + ": " + column_.name + " " + std::to_string(*number) +
                               " is outside of 0.." + std::to_string(n - 1) + ", the " +
                               std::to_string(n) + " classes that the metadata names");
      values.push_back(column_.names[static_cast<std::size_t>(*number)]);
    }
    return values;
  }

 private:
  [[noreturn]] void missing(const std::string& row) const {
    base::throw_data_error(row + " has no " + column_.name);
  }

  const NamedColumn& column_;
  std::string where_;
};

/// What the files of a folder come to.
struct ParquetFound {
  std::vector<Entry> entries;
  std::vector<std::string> classes;  ///< by number; empty where labels are text
  bool has_domains = false;
};

void need_same_length(std::size_t a, std::size_t b) {
  if (a != b) throw std::runtime_error("its columns have different numbers of rows");
}

void read_file(const fs::path& file, const std::string& set_name, ParquetFound& found) {
  const std::string where = base::printable(file);
  const std::unique_ptr<ParquetReader> reader = open_parquet(file);
  with_parquet(file, [&] {
    const ParquetColumns columns = find_parquet_columns(*reader, where);
    if (found.entries.empty())
      found.classes = columns.label.names;
    else if (found.classes != columns.label.names)
      base::throw_data_error(where + " has other names of classes than " +
                             base::printable(found.entries.front().file) +
                             ": expected files of one data set");
    found.has_domains |= columns.domain.has_value();
    const Names labels(columns.label, where);
    const Part part = list_part(file);
    std::uint64_t row = 0;
    for (std::size_t group = 0; group < reader->group_rows().size(); ++group) {
      const std::vector<std::string> classes = labels.read(*reader, group, row);
      std::vector<std::string> domains(classes.size(), set_name);
      if (columns.domain) domains = Names(*columns.domain, where).read(*reader, group, row);
      std::vector<std::optional<std::string>> names(classes.size());
      if (columns.image_path) names = reader->bytes(group, *columns.image_path);
      need_same_length(classes.size(), domains.size());
      need_same_length(classes.size(), names.size());
      need_same_length(classes.size(), static_cast<std::size_t>(reader->group_rows()[group]));
      for (std::size_t i = 0; i < classes.size(); ++i, ++row) {
        const std::string number = file.stem().string() + "-" + std::to_string(row);
        const std::string name = fs::path(names[i].value_or("")).filename().string();
        found.entries.push_back({.domain = domains[i],
                                 .class_name = classes[i],
                                 .file = file,
                                 .part = part,
                                 .path_in_list = number,
                                 .place = {.kind = Place::Kind::row,
                                           .at = row,
                                           .name = name.empty() ? number : name,
                                           .column = columns.image_bytes}});
      }
    }
  });
}

/// "Art" of Art-00000-of-00004.parquet; "" where the name has another form.
std::string split_name(const fs::path& file) {
  const std::string stem = file.stem().string();
  const std::size_t end = stem.find("-0");
  return end == std::string::npos || stem.find("-of-") == std::string::npos ? ""
                                                                            : stem.substr(0, end);
}

/// Some sets are published with a domain as each split.
void take_domains_of_files(const std::vector<fs::path>& files, ParquetFound& found) {
  std::set<std::string> names;
  for (const fs::path& file : files) {
    if (list_part(file) != Part::none) return;
    names.insert(split_name(file));
  }
  if (found.has_domains || names.size() < 2 || names.contains("")) return;
  for (Entry& entry : found.entries)
    entry.domain = split_name(entry.file);
}

}  // namespace

Dataset load_parquet(const fs::path& root, const LoadOptions& options) {
  const std::vector<fs::path> files =
      find_shards(root, ".parquet",
                  "expected a folder of Parquet files with images and labels, as the Hugging Face "
                  "hub has them (data/train-00000-of-00001.parquet)");
  const std::string name = shards_name(root);
  ParquetFound found;
  for (const fs::path& file : files)
    read_file(file, name, found);
  if (found.entries.empty())
    base::throw_data_error(base::printable(root) + " holds Parquet files without a row");
  take_domains_of_files(files, found);
  return assemble(found.entries, {.name = "parquet",
                                  .version = "1",
                                  .root = root,
                                  .domains = options.domains,
                                  .class_order = found.classes,
                                  .fingerprint = options.fingerprint,
                                  .threads = options.threads});
}

}  // namespace petlab::datasets
