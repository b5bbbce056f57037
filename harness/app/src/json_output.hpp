#pragma once

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

namespace petlab::app {

/// Of what `--json` prints: members in the order in which they were set. Each object that a command
/// prints begins with "format": "petlab COMMAND" and "version"; harness/app/README.md has the
/// shapes. A version only gets more members.
using Json = nlohmann::ordered_json;

/// null where there is no text.
[[nodiscard]] inline Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

/// Prints it on standard output. Texts that are not UTF-8 have U+FFFD in place of what is not.
inline void print_json(const Json& json) {
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

}  // namespace petlab::app
