#include "petlab/datasets/tools/iconify.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>

namespace petlab::datasets::tools {
namespace {

using base::Error;
using base::ErrorKind;
using nlohmann::json;

/// The largest set of the package has 104 MB.
constexpr std::uint64_t kMaxFileBytes = std::uint64_t{512} << 20U;

std::string how_to_get() {
  return std::string("get it with `npm pack ") + kIconifyPackage + "@" + kIconifyVersion +
         "` and unpack the archive";
}

json read_json(const std::filesystem::path& file) {
  return base::parse_json(base::read_text_file(file, kMaxFileBytes), base::printable(file),
                          how_to_get());
}

std::string text_or_empty(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// The texts of a list; whatever else it holds is left out.
std::vector<std::string> texts_of(const json& list) {
  std::vector<std::string> texts;
  if (!list.is_array()) return texts;
  for (const json& entry : list)
    if (entry.is_string()) texts.push_back(entry.get<std::string>());
  return texts;
}

double number_or(const json& object, const char* key, double fallback) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : fallback;
}

bool flag(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_boolean() && it->get<bool>();
}

struct Transform {
  int quarter_turns = 0;
  bool h_flip = false;
  bool v_flip = false;
};

/// Applies flips, then turns, to the body, as the icon format defines them.
Icon transformed(Icon icon, Transform t) {
  std::string transforms;
  if (t.h_flip && t.v_flip) {
    t.quarter_turns += 2;
  } else if (t.h_flip) {
    transforms = "translate(" + base::number_text(icon.width + icon.left) + " " +
                 base::number_text(-icon.top) + ") scale(-1 1)";
    icon.left = icon.top = 0;
  } else if (t.v_flip) {
    transforms = "translate(" + base::number_text(-icon.left) + " " +
                 base::number_text(icon.height + icon.top) + ") scale(1 -1)";
    icon.left = icon.top = 0;
  }
  const int turns = ((t.quarter_turns % 4) + 4) % 4;
  const auto rotate = [&](int degrees, double x, double y) {
    transforms = "rotate(" + std::to_string(degrees) + " " + base::number_text(x) + " " +
                 base::number_text(y) + ") " + transforms;
  };
  if (turns == 1) {
    const double centre = icon.height / 2 + icon.top;
    rotate(90, centre, centre);
  } else if (turns == 2) {
    rotate(180, icon.width / 2 + icon.left, icon.height / 2 + icon.top);
  } else if (turns == 3) {
    const double centre = icon.width / 2 + icon.left;
    rotate(-90, centre, centre);
  }
  if (turns % 2 == 1) {
    std::swap(icon.left, icon.top);
    std::swap(icon.width, icon.height);
  }
  if (!transforms.empty()) {
    icon.body = "<g transform=\"" + transforms + "\">" + icon.body + "</g>";
  }
  return icon;
}

void override_geometry(Icon& icon, const json& object) {
  icon.left = number_or(object, "left", icon.left);
  icon.top = number_or(object, "top", icon.top);
  icon.width = number_or(object, "width", icon.width);
  icon.height = number_or(object, "height", icon.height);
  icon.hidden = icon.hidden || flag(object, "hidden");
}

IconSetInfo read_info(const json& document, const std::string& set) {
  const auto it = document.find("info");
  if (it == document.end() || !it->is_object()) {
    throw Error(ErrorKind::data, "icon set '" + set + "' has no `info` block");
  }
  IconSetInfo info;
  info.prefix = text_or_empty(document, "prefix");
  info.name = text_or_empty(*it, "name");
  info.version = text_or_empty(*it, "version");
  info.category = text_or_empty(*it, "category");
  info.palette = flag(*it, "palette");
  if (const auto tags = it->find("tags"); tags != it->end()) info.tags = texts_of(*tags);
  if (const auto author = it->find("author"); author != it->end()) {
    info.author = text_or_empty(*author, "name");
    info.author_url = text_or_empty(*author, "url");
  }
  if (const auto licence = it->find("license"); licence != it->end()) {
    info.licence = {.title = text_or_empty(*licence, "title"),
                    .spdx = text_or_empty(*licence, "spdx"),
                    .url = text_or_empty(*licence, "url")};
  }
  return info;
}

}  // namespace

IconSet IconSet::read(const std::filesystem::path& package_dir, const std::string& set) {
  const auto file = package_dir / "json" / (set + ".json");
  if (!std::filesystem::is_regular_file(file)) {
    throw Error(ErrorKind::data, "icon set '" + set + "' is missing: " + file.string() +
                                     " does not exist; the set belongs to the npm package " +
                                     kIconifyPackage + " " + kIconifyVersion + ", " + how_to_get());
  }
  const json document = read_json(file);
  const auto icons = document.find("icons");
  if (!document.is_object() || icons == document.end() || !icons->is_object()) {
    throw Error(ErrorKind::data, "icon set '" + set + "': " + file.string() +
                                     " has no `icons` block, so it is not an icon set");
  }
  IconSet result;
  result.info_ = read_info(document, set);
  Icon defaults;
  override_geometry(defaults, document);
  for (const auto& [name, object] : icons->items()) {
    Icon icon = defaults;
    icon.name = name;
    icon.body = text_or_empty(object, "body");
    if (!object.contains("body")) {  // an empty body is a blank icon, and legal
      throw Error(ErrorKind::data, "icon '" + name + "' of set '" + set + "' has no `body`");
    }
    override_geometry(icon, object);
    result.icons_.emplace(name, std::move(icon));
  }

  const auto aliases = document.find("aliases");
  if (aliases != document.end() && aliases->is_object()) {
    for (const auto& [name, object] : aliases->items()) {
      // Walk up to the drawing, nearest alias first; its own values win over its parents'.
      std::vector<const json*> chain;
      std::set<std::string> seen;
      std::string parent = name;
      while (!result.icons_.contains(parent) && aliases->contains(parent) &&
             seen.insert(parent).second) {
        chain.push_back(&(*aliases)[parent]);
        parent = text_or_empty(*chain.back(), "parent");
      }
      const auto drawing = result.icons_.find(parent);
      if (drawing == result.icons_.end()) continue;
      Icon icon = drawing->second;
      icon.name = name;
      Transform transform;
      for (const json* link : chain) {
        transform.quarter_turns += static_cast<int>(std::fmod(number_or(*link, "rotate", 0), 4.0));
        transform.h_flip = transform.h_flip != flag(*link, "hFlip");
        transform.v_flip = transform.v_flip != flag(*link, "vFlip");
      }
      for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
        override_geometry(icon, **link);
      }
      result.aliases_.emplace(name, transformed(std::move(icon), transform));
    }
  }
  if (const auto categories = document.find("categories");
      categories != document.end() && categories->is_object()) {
    for (const auto& [name, members] : categories->items())
      result.categories_.emplace(name, texts_of(members));
  }
  return result;
}

const Icon* IconSet::find(const std::string& name) const {
  if (const auto it = icons_.find(name); it != icons_.end()) return &it->second;
  if (const auto it = aliases_.find(name); it != aliases_.end()) return &it->second;
  return nullptr;
}

const Icon& IconSet::icon(const std::string& name) const {
  if (const Icon* found = find(name)) return *found;
  throw Error(ErrorKind::data, "icon '" + name + "' is not in set '" + info_.prefix +
                                   "'; it belongs to version " + kIconifyVersion + " of " +
                                   kIconifyPackage + ", " + how_to_get());
}

std::vector<std::string> list_icon_sets(const std::filesystem::path& package_dir) {
  (void)icon_package_version(package_dir);
  std::vector<std::string> sets;
  const auto folder = package_dir / "json";
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() == ".json") sets.push_back(entry.path().stem().string());
    }
  }
  if (sets.empty()) {
    throw Error(ErrorKind::data, "no icon sets in " + folder.string() + ": " + how_to_get());
  }
  std::sort(sets.begin(), sets.end());
  return sets;
}

std::string icon_package_version(const std::filesystem::path& package_dir) {
  const auto file = package_dir / "package.json";
  if (!std::filesystem::is_regular_file(file)) {
    throw Error(ErrorKind::data, "the npm package " + std::string(kIconifyPackage) + " is not in " +
                                     package_dir.string() +
                                     " (no package.json there): " + how_to_get());
  }
  const json document = read_json(file);
  const std::string name = text_or_empty(document, "name");
  if (name != kIconifyPackage) {
    throw Error(ErrorKind::data, file.string() + " is of the package '" + name + "', expected " +
                                     kIconifyPackage + ": " + how_to_get());
  }
  return text_or_empty(document, "version");
}

void check_icon_package(const std::filesystem::path& package_dir) {
  const std::string version = icon_package_version(package_dir);
  if (version != kIconifyVersion) {
    throw Error(ErrorKind::data, package_dir.string() + " holds " + kIconifyPackage + " version " +
                                     version + ", expected " + kIconifyVersion + ": " +
                                     how_to_get());
  }
}

std::string icon_svg(const Icon& icon, const std::string& color) {
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
         "width=\"96\" height=\"96\" viewBox=\"" +
         base::number_text(icon.left) + " " + base::number_text(icon.top) + " " +
         base::number_text(icon.width) + " " + base::number_text(icon.height) + "\" color=\"" +
         color + "\">" + icon.body + "</svg>";
}

}  // namespace petlab::datasets::tools
