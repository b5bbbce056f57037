#include "ini_file.hpp"

#include "ini_line.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/base/text_encoding.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace petlab::study {
namespace {

std::string text_of(const std::filesystem::path& file) {
  try {
    return base::read_text_file(file);
  } catch (const base::Error&) {
    base::throw_config_error("cannot read protocol file " + base::printable(file));
  }
}

}  // namespace

IniFile read_ini(const std::filesystem::path& file) {
  const std::string bytes = text_of(file);
  const std::string name = file.filename().string();
  std::string_view text = base::without_byte_order_mark(bytes, name, base::ErrorKind::config);
  const std::filesystem::path base = std::filesystem::absolute(file).parent_path();
  IniFile result;
  std::unordered_map<std::string, std::size_t> lines;  // of the keys so far
  std::unordered_set<std::string> known;               // sections so far
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string where = name + ":" + std::to_string(number);
    const IniResult parsed = parse_ini_line(line);
    if (!parsed.line) base::throw_config_error(where + ": " + parsed.wrong);
    auto& sections = result.sections;
    if (parsed.line->kind == IniLine::Kind::section) {
      if (!known.insert(parsed.line->name).second)
        base::throw_config_error(where + ": section [" + parsed.line->name + "] is there twice");
      sections.push_back(parsed.line->name);
    } else if (parsed.line->kind == IniLine::Kind::pair) {
      if (sections.empty())
        base::throw_config_error(where + ": key '" + parsed.line->name +
                                 "' stands before the first [section]");
      const std::string key = sections.back() + "." + parsed.line->name;
      const auto [first, is_new] = lines.emplace(key, number);
      if (!is_new)
        base::throw_config_error(where + ": key '" + key + "' is there twice (first in line " +
                                 std::to_string(first->second) + ")");
      result.settings.push_back({key, parsed.line->value, where, base});
    }
  }
  return result;
}

std::vector<Setting> merge_settings(std::vector<Setting> settings,
                                    const std::vector<Setting>& overrides) {
  std::unordered_map<std::string, std::size_t> places;
  for (std::size_t i = 0; i < settings.size(); ++i)
    places.emplace(settings[i].key, i);
  for (const Setting& later : overrides) {
    const auto [place, is_new] = places.emplace(later.key, settings.size());
    if (is_new)
      settings.push_back(later);
    else
      settings[place->second] = later;
  }
  return settings;
}

JoinedFiles join_files(const std::vector<std::filesystem::path>& files) {
  JoinedFiles joined;
  std::unordered_set<std::string> known;
  for (const std::filesystem::path& file : files) {
    const IniFile ini = read_ini(file);
    joined.settings = merge_settings(std::move(joined.settings), ini.settings);
    for (const std::string& section : ini.sections) {
      if (!known.insert(section).second) continue;
      joined.sections.push_back(section);
      if (&file != &files.front()) joined.shared_sections.push_back(section);
    }
  }
  return joined;
}

}  // namespace petlab::study
