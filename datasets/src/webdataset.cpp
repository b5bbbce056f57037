#include "file_kind.hpp"
#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "petlab/base/mapped_file.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "shards.hpp"
#include "tar_index.hpp"
#include "text_lines.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// The names of the numbers in classnames.txt; empty where there is none.
std::vector<std::string> class_names_in(const fs::path& root) {
  std::error_code ignored;
  const fs::path folder = fs::is_directory(root, ignored) ? root : root.parent_path();
  const fs::path file = folder / "classnames.txt";
  if (!fs::is_regular_file(file, ignored)) return {};
  std::vector<std::string> names;
  std::map<std::string, std::size_t> lines;
  for (const TextLine& line : read_lines(file)) {
    const auto [twin, fresh] = lines.emplace(line.text, line.number);
    if (!fresh)
      base::throw_data_error(base::printable(file) + " line " + std::to_string(line.number) +
                             ": class '" + base::escaped(line.text) + "' stands already in line " +
                             std::to_string(twin->second));
    names.push_back(line.text);
  }
  return names;
}

/// The members that belong together: those of one path up to the first dot of its file name.
struct Group {
  std::string name;
  const TarMember* image = nullptr;
  const TarMember* label = nullptr;  ///< .cls
  const TarMember* json = nullptr;
};

/// "a/1" and "jpg" of "a/1.jpg", as WebDataset parts them; no ending where there is no dot.
std::pair<std::string, std::string> parted(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.find('.', slash == std::string::npos ? 0 : slash + 1);
  if (dot == std::string::npos) return {path, ""};
  return {path.substr(0, dot), lower_case(path.substr(dot + 1))};
}

std::string_view text_of(const base::MappedFile& file, const TarMember& member) {
  return {reinterpret_cast<const char*>(file.bytes().data()) + member.at,
          static_cast<std::size_t>(member.size)};
}

/// How messages name a member.
std::string member_name(const base::MappedFile& file, const TarMember& member) {
  return base::printable(file.path()) + ": " + base::escaped(member.path);
}

/// What a sample's label says: a number, or a name.
struct Label {
  std::optional<std::int64_t> number;
  std::string name;
  std::string domain;
};

Label label_of_text(std::string_view text, const std::string& where) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) base::throw_data_error(where + " is empty");
  text = text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
  Label label;
  label.number = base::parse_number<std::int64_t>(text);
  if (!label.number) label.name = text;
  return label;
}

/// The "label" of a .json; none where it is not there, or neither a number nor a name.
std::optional<Label> label_in(const json& whole) {
  if (!whole.is_object()) return std::nullopt;
  const auto label = whole.find("label");
  if (label == whole.end()) return std::nullopt;
  if (label->is_number_integer()) return Label{label->get<std::int64_t>(), "", ""};
  if (label->is_string() && !label->get<std::string>().empty())
    return Label{std::nullopt, label->get<std::string>(), ""};
  return std::nullopt;
}

Label label_of_json(std::string_view text, const std::string& where) {
  const json whole = base::parse_json(text, where);
  if (!whole.is_object()) base::throw_data_error(where + " is no JSON object");
  const std::optional<Label> label = label_in(whole);
  if (!label) base::throw_data_error(where + " has no \"label\" that is a number or a name");
  Label result = *label;
  const auto domain = whole.find("domain");
  if (domain == whole.end() || domain->is_null()) return result;
  if (!domain->is_string() || domain->get<std::string>().empty())
    base::throw_data_error(where + " has a \"domain\" that is no name");
  result.domain = domain->get<std::string>();
  return result;
}

/// The data set while its shards are read.
class Shards {
 public:
  Shards(std::string name, std::vector<std::string> class_names)
      : name_(std::move(name)), class_names_(std::move(class_names)) {}

  void read(const fs::path& shard) {
    const base::MappedFile file(shard);
    const std::vector<TarMember> members = read_tar_index(file);
    for (const Group& group : grouped(members, base::printable(shard)))
      add(file, group);
  }

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }

  /// All classes in the order of their numbers; empty where labels are names.
  [[nodiscard]] std::vector<std::string> classes() const {
    if (!is_numbered_) return {};
    if (!class_names_.empty()) return class_names_;
    std::vector<std::string> numbers;
    for (const std::int64_t number : numbers_)
      numbers.push_back(std::to_string(number));
    return numbers;
  }

  /// What was left out.
  [[nodiscard]] std::vector<std::string> notes() const {
    if (n_others_ == 0) return {};
    return {"left out: " + std::to_string(n_others_) + (n_others_ == 1 ? " member" : " members") +
            " of shards that are no image and no label, such as " + first_other_};
  }

 private:
  std::vector<Group> grouped(const std::vector<TarMember>& members, const std::string& where) {
    std::map<std::string, Group> groups;
    for (const TarMember& member : members) {
      const auto [name, ending] = parted(member.path);
      Group& group = groups[name];
      group.name = name;
      // Of 1.seg.png the ending is seg.png, another field.
      const bool is_image = !ending.empty() && ending.find('.') == std::string::npos &&
                            has_picture_ending("x." + ending);
      const TarMember** place = is_image           ? &group.image
                                : ending == "cls"  ? &group.label
                                : ending == "json" ? &group.json
                                                   : nullptr;
      if (place == nullptr) {
        if (n_others_++ == 0) first_other_ = where + ": " + base::escaped(member.path);
        continue;
      }
      if (*place != nullptr)
        base::throw_data_error(where + ": members " + base::escaped((*place)->path) + " and " +
                               base::escaped(member.path) +
                               " are both the image of one sample, expected one");
      *place = &member;
    }
    std::vector<Group> result;
    for (const auto& [name, group] : groups) {
      const TarMember* label = group.label != nullptr ? group.label : group.json;
      if (group.image == nullptr && label == nullptr) continue;
      if (group.image == nullptr)
        base::throw_data_error(where + ": label " + base::escaped(label->path) +
                               " has no image: expected " + base::escaped(name) +
                               ".jpg, .png or .webp in the same shard");
      if (label == nullptr)
        base::throw_data_error(where + ": image " + base::escaped(group.image->path) +
                               " has no label: expected " + base::escaped(name) +
                               ".cls, or a .json with \"label\", in the same shard");
      result.push_back(group);
    }
    return result;
  }

  void add(const base::MappedFile& file, const Group& group) {
    const TarMember& member = group.label != nullptr ? *group.label : *group.json;
    const std::string where = member_name(file, member);
    Label label = group.label != nullptr ? label_of_text(text_of(file, member), where)
                                         : label_of_json(text_of(file, member), where);
    if (group.label != nullptr && group.json != nullptr) take_json_beside(file, group, label);
    const bool is_numbered = label.number.has_value();
    if (entries_.empty()) is_numbered_ = is_numbered;
    if (is_numbered != is_numbered_)
      base::throw_data_error(where + ": the label is a " + (is_numbered ? "number" : "name") +
                             ", that of " + base::escaped(entries_.front().place.name) + " in " +
                             base::printable(entries_.front().file) +
                             " is not: expected numbers or names for all");
    if (is_numbered) label.name = name_of_number(*label.number, where);
    entries_.push_back({.domain = label.domain.empty() ? name_ : label.domain,
                        .class_name = label.name,
                        .file = file.path(),
                        .part = list_part(file.path()),
                        .path_in_list = file.path().stem().string() + "/" + group.image->path,
                        .place = {.kind = Place::Kind::bytes,
                                  .at = group.image->at,
                                  .size = group.image->size,
                                  .name = group.image->path}});
  }

  /// A .json beside a .cls may say the domain; it needs no label, but may not say another one.
  void take_json_beside(const base::MappedFile& file, const Group& group, Label& label) const {
    const json whole = base::parse_json(text_of(file, *group.json), member_name(file, *group.json));
    if (const std::optional<Label> other = label_in(whole); other && contradict(label, *other))
      base::throw_data_error(member_name(file, *group.label) + " says the label '" +
                             base::escaped(plain_text(label)) + "', and " +
                             base::escaped(group.json->path) + " beside it '" +
                             base::escaped(plain_text(*other)) + "'");
    if (whole.is_object() && whole.contains("domain") && whole.at("domain").is_string())
      label.domain = whole.at("domain").get<std::string>();
  }

  static std::string plain_text(const Label& label) {
    return label.number ? std::to_string(*label.number) : label.name;
  }

  /// Whether two labels of one image are different ones. A number and a name can only be compared
  /// where classnames.txt says which belong together; "2" in a .json may be either.
  [[nodiscard]] bool contradict(const Label& a, const Label& b) const {
    if (folded_name(class_text(a)) == folded_name(class_text(b))) return false;
    const std::optional<std::int64_t> first = number_of(a);
    const std::optional<std::int64_t> second = number_of(b);
    if (first && second) return *first != *second;
    return (!first && !second) || !class_names_.empty();
  }

  static std::optional<std::int64_t> number_of(const Label& label) {
    return label.number ? label.number : base::parse_number<std::int64_t>(label.name);
  }

  [[nodiscard]] std::string class_text(const Label& label) const {
    const bool is_known = label.number && *label.number >= 0 &&
                          static_cast<std::uint64_t>(*label.number) < class_names_.size();
    return is_known ? class_names_[static_cast<std::size_t>(*label.number)] : plain_text(label);
  }

  std::string name_of_number(std::int64_t number, const std::string& where) {
    numbers_.insert(number);
    if (class_names_.empty()) {
      if (number < 0)
        base::throw_data_error(where + ": label " + std::to_string(number) + " is below 0");
      return std::to_string(number);
    }
    const auto n = static_cast<std::int64_t>(class_names_.size());
    if (number < 0 || number >= n)
      base::throw_data_error(where + ": label " + std::to_string(number) + " is outside of 0.." +
                             std::to_string(n - 1) + ", the " + std::to_string(n) +
                             " classes of classnames.txt");
    return class_names_[static_cast<std::size_t>(number)];
  }

  std::string name_;
  std::vector<std::string> class_names_;
  std::vector<Entry> entries_;
  bool is_numbered_ = false;
  std::set<std::int64_t> numbers_;
  std::size_t n_others_ = 0;
  std::string first_other_;
};

}  // namespace

Dataset load_webdataset(const fs::path& root, const LoadOptions& options) {
  const std::vector<fs::path> files =
      find_shards(root, ".tar",
                  "expected a folder of tar shards as WebDataset has them (train/0.tar: 1.jpg, "
                  "1.cls, ...)");
  Shards shards(shards_name(root), class_names_in(root));
  for (const fs::path& file : files)
    shards.read(file);
  if (shards.entries().empty())
    base::throw_data_error(base::printable(root) + " holds tar shards without an image");
  Dataset dataset = assemble(shards.entries(), {.name = "webdataset",
                                                .version = "1",
                                                .root = root,
                                                .domains = options.domains,
                                                .class_order = shards.classes(),
                                                .fingerprint = options.fingerprint,
                                                .threads = options.threads});
  dataset.notes = shards.notes();
  return dataset;
}

}  // namespace petlab::datasets
