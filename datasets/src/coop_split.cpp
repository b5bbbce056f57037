#include "coop_split.hpp"

#include "listed_pictures.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <utility>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The largest of CoOp's has 101,000 entries and 7 MB.
constexpr std::uint64_t kMaxSplitBytes = std::uint64_t{256} << 20U;

constexpr const char* kExpectedLists =
    "expected {\"train\": [[path, label, class name], ...], \"val\": ..., \"test\": ...}";

/// An entry for a message.
std::string text_of(const json& entry) {
  return base::message_line(entry.dump(-1, ' ', false, json::error_handler_t::replace), 80);
}

/// Numbers and names of the classes, one to one.
class NumberedClasses {
 public:
  void add(std::int64_t label, const std::string& name, const std::string& where) {
    const auto& [known, first] = names_.emplace(label, std::pair(name, where)).first->second;
    if (known != name)
      base::throw_data_error(where + ": label " + std::to_string(label) + " is class '" +
                             base::escaped(name) + "', but '" + base::escaped(known) + "' in " +
                             first);
    const auto twin = labels_.emplace(name, std::pair(label, where)).first->second;
    if (twin.first != label)
      base::throw_data_error(where + ": class '" + base::escaped(name) + "' has label " +
                             std::to_string(label) + ", but " + std::to_string(twin.first) +
                             " in " + twin.second);
  }

  /// The names by label. Throws where one is left out.
  [[nodiscard]] std::vector<std::string> in_order(const std::string& file) const {
    std::vector<std::string> names;
    for (const auto& [label, name] : names_) {
      if (label != static_cast<std::int64_t>(names.size()))
        base::throw_data_error(file + ": label " + std::to_string(names.size()) +
                               " is left out before " + std::to_string(label) + " (class '" +
                               base::escaped(name.first) +
                               "'), expected numbers from 0 without gaps");
      names.push_back(name.first);
    }
    return names;
  }

 private:
  std::map<std::int64_t, std::pair<std::string, std::string>> names_;
  std::map<std::string, std::pair<std::int64_t, std::string>> labels_;
};

/// The class of an entry, and its path.
struct SplitRow {
  std::string path;
  std::int64_t label = 0;
  std::string class_name;
};

SplitRow row_of(const json& entry, const std::string& where) {
  const bool has_form = entry.is_array() && entry.size() == 3 && entry[0].is_string() &&
                        entry[1].is_number_integer() && entry[2].is_string();
  if (!has_form)
    base::throw_data_error(where + " is " + text_of(entry) +
                           ", expected [path, label, class name]");
  SplitRow row{entry[0].get<std::string>(), entry[1].get<std::int64_t>(),
               entry[2].get<std::string>()};
  if (row.label < 0) base::throw_data_error(where + ": label " + entry[1].dump() + " is below 0");
  return row;
}

}  // namespace

CoopSplit read_coop_split(const fs::path& file, const fs::path& images, const std::string& domain) {
  const std::string name = base::printable(file);
  const json split =
      base::parse_json(base::read_text_file(file, kMaxSplitBytes), name, kExpectedLists);
  if (!split.is_object()) base::throw_data_error(name + " is no split: " + kExpectedLists);
  ListedPictures pictures(images, domain);
  NumberedClasses classes;
  constexpr std::pair<const char*, Part> kParts[] = {
      {"train", Part::train}, {"val", Part::validation}, {"test", Part::test}};
  for (const auto& [key, part] : kParts) {
    const auto list = split.find(key);
    if (list == split.end() && part == Part::validation) continue;
    if (list == split.end() || !list->is_array())
      base::throw_data_error(name + " has no list '" + key + "': " + kExpectedLists);
    for (std::size_t i = 0; i < list->size(); ++i) {
      const std::string where = name + ": " + key + "[" + std::to_string(i) + "]";
      const SplitRow row = row_of((*list)[i], where);
      classes.add(row.label, row.class_name, where);
      pictures.add(row.path, row.class_name, part, where);
    }
  }
  CoopSplit result{pictures.entries(), classes.in_order(name)};
  if (result.entries.empty()) base::throw_data_error(name + " lists no image");
  return result;
}

}  // namespace petlab::datasets
