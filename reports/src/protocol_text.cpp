#include "protocol_text.hpp"

#include <sstream>

namespace petlab::reports {

std::optional<std::string> study_setting(const std::string& protocol, std::string_view key) {
  const std::string begin = std::string(key) + " = ";
  std::istringstream lines(protocol);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) section = line;
    if (section == "[study]" && line.starts_with(begin)) return line.substr(begin.size());
  }
  return std::nullopt;
}

}  // namespace petlab::reports
