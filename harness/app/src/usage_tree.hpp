#pragma once

#include <string>
#include <vector>

namespace petlab::app {

/// One option of a command, from its own table.
struct OptionLine {
  std::string name;  ///< "store"
  bool has_value = false;
  std::string help;
};

/// A command of the program, or an action of one.
struct UsageNode {
  std::string name;      ///< "run"; "check" of `petlab datasets check`
  std::string summary;   ///< one line
  std::string synopsis;  ///< "STUDY [options]"
  std::string text;
  std::string examples;
  std::vector<OptionLine> options;
  std::vector<UsageNode> actions;
};

/// All commands that help lists, as they describe themselves.
[[nodiscard]] std::vector<UsageNode> usage_tree();

}  // namespace petlab::app
