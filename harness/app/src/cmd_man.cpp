#include "command.hpp"
#include "petlab/study/identity.hpp"
#include "usage_tree.hpp"

#include <iostream>
#include <sstream>

namespace petlab::app {
namespace {

/// A line of text as troff prints it.
std::string roff(const std::string& line) {
  std::string result;
  for (const char c : line) {
    if (c == '\\')
      result += "\\e";
    else if (c == '-')
      result += "\\-";
    else if ((c == '.' || c == '\'') && result.empty())
      result += std::string("\\&") + c;
    else
      result += c;
  }
  return result;
}

void print_lines(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    std::cout << roff(line) << "\n";
}

void print_node(const std::string& begin, const UsageNode& node) {
  const std::string name = begin + node.name;
  std::cout << ".SS \"petlab " << roff(name) << " " << roff(node.synopsis) << "\"\n";
  print_lines(node.text.empty() ? node.summary : node.text);
  for (const OptionLine& option : node.options) {
    std::cout << ".TP\n.B \\-\\-" << roff(option.name) << (option.has_value ? " VALUE" : "")
              << "\n";
    print_lines(option.help);
  }
  if (!node.examples.empty()) {
    std::cout << ".PP\n.nf\n";
    print_lines(node.examples);
    std::cout << ".fi\n";
  }
  for (const UsageNode& action : node.actions)
    print_node(name + " ", action);
}

}  // namespace

int run_man(const Arguments& arguments) {
  const Usage usage{"man",
                    "",
                    "Prints the manual page, made from the help of all commands.",
                    po::options_description("Options"),
                    {},
                    "  petlab man | man -l -\n"
                    "  petlab man > ~/.local/share/man/man1/petlab.1\n"};
  if (!parse(usage, arguments)) return kOk;
  std::cout << ".TH PETLAB 1 \"\" \"petlab " << roff(study::program_version()) << "\"\n"
            << ".SH NAME\npetlab \\- benchmark of parameter\\-efficient adaptation of CLIP\n"
            << ".SH SYNOPSIS\n.B petlab\n.I COMMAND\n[options]\n.SH COMMANDS\n";
  for (const UsageNode& node : usage_tree())
    print_node("", node);
  return kOk;
}

}  // namespace petlab::app
