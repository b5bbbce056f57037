#include "ini_file.hpp"

#include "petlab/base/error.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace petlab::study {
namespace po = boost::program_options;
namespace {

std::string trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

/// Where keys and sections are: the parser of Boost tells neither.
struct Lines {
  std::map<std::string, std::vector<std::size_t>> of_key;
  std::vector<std::string> sections;
};

Lines find_lines(const std::string& text, const std::string& name) {
  Lines lines;
  std::istringstream in(text);
  std::string section, line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    line = trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    const std::string where = name + ":" + std::to_string(number);
    if (line.front() == '[') {
      if (line.back() != ']' || line.size() < 3)
        base::throw_config_error(where + ": expected a section '[name]', found '" + line + "'");
      section = line.substr(1, line.size() - 2);
      if (std::find(lines.sections.begin(), lines.sections.end(), section) != lines.sections.end())
        base::throw_config_error(where + ": section [" + section + "] is there twice");
      lines.sections.push_back(section);
      continue;
    }
    const auto equals = line.find('=');
    const std::string key = trim(line.substr(0, equals));
    if (equals == std::string::npos || key.empty())
      base::throw_config_error(where + ": expected 'key = value', found '" + line + "'");
    if (section.empty())
      base::throw_config_error(where + ": key '" + key + "' stands before the first [section]");
    lines.of_key[section + "." + key].push_back(number);
  }
  return lines;
}

}  // namespace

IniFile read_ini(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file))
    base::throw_config_error("cannot read protocol file " + file.string());
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string name = file.filename().string();
  const Lines lines = find_lines(text, name);
  for (const auto& [key, numbers] : lines.of_key)
    if (numbers.size() > 1)
      base::throw_config_error(name + ":" + std::to_string(numbers[1]) + ": key '" + key +
                               "' is there twice (first in line " + std::to_string(numbers[0]) +
                               ")");
  IniFile result;
  result.sections = lines.sections;
  try {
    std::istringstream stream(text);
    const auto parsed =
        po::parse_config_file(stream, po::options_description(), /*allow_unregistered=*/true);
    for (const auto& option : parsed.options) {
      const std::string& key = option.string_key;
      const auto line = lines.of_key.find(key);
      result.settings.push_back(
          {key, option.value.empty() ? "" : option.value.front(),
           line == lines.of_key.end() ? name : name + ":" + std::to_string(line->second.front()),
           std::filesystem::absolute(file).parent_path()});
    }
  } catch (const po::error& error) {
    base::throw_config_error(name + ": " + error.what());
  }
  return result;
}

std::vector<Setting> merge_settings(std::vector<Setting> settings,
                                    const std::vector<Setting>& overrides) {
  for (const Setting& later : overrides) {
    const auto same = std::find_if(settings.begin(), settings.end(),
                                   [&](const Setting& s) { return s.key == later.key; });
    if (same == settings.end())
      settings.push_back(later);
    else
      *same = later;
  }
  return settings;
}

JoinedFiles join_files(const std::vector<std::filesystem::path>& files) {
  JoinedFiles joined;
  for (const std::filesystem::path& file : files) {
    const IniFile ini = read_ini(file);
    joined.settings = merge_settings(std::move(joined.settings), ini.settings);
    for (const std::string& section : ini.sections) {
      if (std::find(joined.sections.begin(), joined.sections.end(), section) !=
          joined.sections.end())
        continue;
      joined.sections.push_back(section);
      if (&file != &files.front()) joined.shared_sections.push_back(section);
    }
  }
  return joined;
}

}  // namespace petlab::study
