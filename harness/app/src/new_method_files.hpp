#pragma once

#include <map>
#include <string>

namespace petlab::app {

/// Files of a new method by name, relative to its folder: a whole method that learns a gain for
/// every channel of every MLP output, and its test. `name` is a method's name (lower-case letters,
/// digits, dashes).
[[nodiscard]] std::map<std::string, std::string> python_method_files(const std::string& name);
[[nodiscard]] std::map<std::string, std::string> cpp_method_files(const std::string& name);

}  // namespace petlab::app
