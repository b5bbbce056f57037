#include "usage_tree.hpp"

#include "command.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <iostream>
#include <sstream>

namespace petlab::app {
namespace {

/// What `print` writes to standard output.
std::string printed_by(const std::function<void()>& print) {
  std::ostringstream text;
  std::streambuf* const before = std::cout.rdbuf(text.rdbuf());
  try {
    print();
  } catch (...) {
    std::cout.rdbuf(before);
    throw;
  }
  std::cout.rdbuf(before);
  return text.str();
}

using Run = std::function<int(const Arguments&)>;

UsageNode node_of(const std::string& name, const std::string& summary, const Run& run) {
  const auto said = nlohmann::json::parse(printed_by([&] { (void)run(Arguments{kUsageAsJson}); }));
  UsageNode node;
  node.name = name;
  node.summary = summary;
  if (said.contains("actions")) {
    node.synopsis = "ACTION [options]";
    for (const auto& action : said.at("actions")) {
      const std::string action_name = action.at("name");
      node.actions.push_back(
          node_of(action_name, action.at("summary"), [&](const Arguments& arguments) {
            Arguments all = {action_name};
            all.insert(all.end(), arguments.begin(), arguments.end());
            return run(all);
          }));
    }
    return node;
  }
  node.synopsis = said.at("synopsis");
  node.text = said.at("text");
  node.examples = said.at("examples");
  for (const auto& option : said.at("options"))
    node.options.push_back({option.at("name"), option.at("value"), option.at("help")});
  return node;
}

}  // namespace

std::vector<UsageNode> usage_tree() {
  std::vector<UsageNode> tree;
  for (const Command& command : commands())
    if (command.summary != nullptr)
      tree.push_back(node_of(command.name, command.summary, command.run));
  return tree;
}

}  // namespace petlab::app
