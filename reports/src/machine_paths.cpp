#include "machine_paths.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

// A path begins behind a blank, a quote or a sign that joins a key to its value.
constexpr std::string_view kPathStarts = " \t\n\"'`=(:,;[";
// It ends before a blank or what closes a quotation.
constexpr std::string_view kBehind = " \t\n\"'`),;]";

bool begins_path(std::string_view text, std::size_t at) {
  const bool starts = at == 0 || kPathStarts.find(text[at - 1]) != std::string_view::npos;
  return starts && text[at] == '/' && at + 1 < text.size() && text[at + 1] != '/' &&
         kBehind.find(text[at + 1]) == std::string_view::npos;
}

}  // namespace

std::string without_machine_paths(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    if (!begins_path(text, at)) {
      result += text[at++];
      continue;
    }
    const std::size_t end = std::min(text.find_first_of(kBehind, at), text.size());
    std::string_view path = text.substr(at, end - at);
    while (path.size() > 1 && path.ends_with('/'))
      path.remove_suffix(1);
    const std::size_t last = path.rfind('/');
    if (last == 0) {
      result += path;  // "/data" says nothing of a person or a machine
    } else {
      result += "…";
      result += path.substr(last);
    }
    at = end;
  }
  return result;
}

}  // namespace petlab::reports
