#include "protocol_text.hpp"

#include <sstream>

namespace petlab::reports {

std::optional<std::string> protocol_setting(const std::string& protocol, std::string_view section,
                                            std::string_view key) {
  const std::string heading = "[" + std::string(section) + "]";
  const std::string begin = std::string(key) + " = ";
  std::istringstream lines(protocol);
  std::string last;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('[')) last = line;
    if (last == heading && line.starts_with(begin)) return line.substr(begin.size());
  }
  return std::nullopt;
}

}  // namespace petlab::reports
