#include "ini_file.hpp"

#include "petlab/base/error.hpp"

#include <boost/program_options/detail/config_file.hpp>
#include <boost/program_options/errors.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <utility>

namespace petlab::study {
namespace po = boost::program_options;
namespace {

std::string trim(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

using Pairs = po::detail::common_config_file_iterator;

/// The pairs that Boost finds in a file. Boost tells neither lines nor sections; both are noted as
/// the lines go by.
class IniPairs final : public Pairs {
 public:
  IniPairs(std::istream& in, std::string name)
      : Pairs({}, /*allow_unregistered=*/true), in_(in), name_(std::move(name)) {
    next();
  }

  /// To the next pair, or to the end.
  void next() {
    try {
      get();
    } catch (const po::invalid_config_file_syntax&) {
      expected_pair();
    }
  }

  [[nodiscard]] bool is_at_end() const { return *this == Pairs(); }
  [[nodiscard]] std::string where() const { return name_ + ":" + std::to_string(number_); }
  [[nodiscard]] const std::vector<std::string>& sections() const { return sections_; }
  [[noreturn]] void expected_pair() const {
    base::throw_config_error(where() + ": expected 'key = value', found '" + line_ + "'");
  }

 private:
  bool getline(std::string& line) override {
    if (!std::getline(in_, line)) return false;
    ++number_;
    line_ = trim(line.substr(0, line.find('#')));
    if (line_.starts_with('[')) note_section();
    return true;
  }

  void note_section() {
    if (!line_.ends_with(']') || line_.size() < 3)
      base::throw_config_error(where() + ": expected a section '[name]', found '" + line_ + "'");
    const std::string section = line_.substr(1, line_.size() - 2);
    if (std::find(sections_.begin(), sections_.end(), section) != sections_.end())
      base::throw_config_error(where() + ": section [" + section + "] is there twice");
    sections_.push_back(section);
  }

  std::istream& in_;
  std::string name_;
  std::size_t number_ = 0;
  std::string line_;  ///< the last, without comment and blanks around it
  std::vector<std::string> sections_;
};

}  // namespace

IniFile read_ini(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in || std::filesystem::is_directory(file))
    base::throw_config_error("cannot read protocol file " + file.string());
  const std::filesystem::path base = std::filesystem::absolute(file).parent_path();
  IniFile result;
  std::map<std::string, std::string> lines;  // of the keys so far
  IniPairs pairs(in, file.filename().string());
  for (; !pairs.is_at_end(); pairs.next()) {
    const std::string& key = pairs->string_key;
    if (pairs.sections().empty() && !key.empty())
      base::throw_config_error(pairs.where() + ": key '" + key +
                               "' stands before the first [section]");
    if (key.empty() || key.ends_with('.')) pairs.expected_pair();
    const std::string where = pairs.where();
    const auto [first, is_new] = lines.emplace(key, where.substr(where.rfind(':') + 1));
    if (!is_new)
      base::throw_config_error(where + ": key '" + key + "' is there twice (first in line " +
                               first->second + ")");
    result.settings.push_back({key, pairs->value.front(), where, base});
  }
  result.sections = pairs.sections();
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
