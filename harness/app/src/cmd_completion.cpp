#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "usage_tree.hpp"

#include <iostream>

namespace petlab::app {
namespace {

std::string names_of(const std::vector<UsageNode>& nodes) {
  std::string names;
  for (const UsageNode& node : nodes)
    names += (names.empty() ? "" : " ") + node.name;
  return names;
}

std::string option_words(const UsageNode& node) {
  std::string words = "--help";
  for (const OptionLine& option : node.options)
    words += " --" + option.name;
  return words;
}

/// The case of one command line's beginning, "run" or "datasets check".
void print_bash_case(const std::string& begin, const UsageNode& node) {
  std::cout << "    '" << begin << "') options='" << option_words(node) << "';;\n";
}

void print_bash(const std::vector<UsageNode>& tree) {
  std::cout << "# Completion of petlab for bash: source <(petlab completion bash)\n"
               "_petlab() {\n"
               "  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words= options=\n"
               "  COMPREPLY=()\n"
               "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
               "    words='"
            << names_of(tree)
            << " help'\n"
               "  elif [ \"$COMP_CWORD\" -eq 2 ]; then\n"
               "    case $command in\n"
               "      help) words='"
            << names_of(tree) << "';;\n";
  for (const UsageNode& node : tree)
    if (!node.actions.empty())
      std::cout << "      " << node.name << ") words='" << names_of(node.actions) << "';;\n";
  std::cout << "    esac\n"
               "  fi\n"
               "  local begin=$command\n"
               "  case $command in\n";
  for (const UsageNode& node : tree)
    if (!node.actions.empty())
      std::cout << "    " << node.name << ") begin=\"$command ${COMP_WORDS[2]}\";;\n";
  std::cout << "  esac\n"
               "  case $begin in\n";
  for (const UsageNode& node : tree) {
    if (node.actions.empty()) print_bash_case(node.name, node);
    for (const UsageNode& action : node.actions)
      print_bash_case(node.name + " " + action.name, action);
  }
  std::cout << "  esac\n"
               "  if [ -n \"$words\" ]; then\n"
               "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
               "  elif [[ $word == -* ]]; then\n"
               "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
               "  else\n"
               "    mapfile -t COMPREPLY < <(compgen -f -- \"$word\")\n"
               "  fi\n"
               "}\n"
               "complete -o filenames -F _petlab petlab\n";
}

/// A text inside single quotes of zsh's _arguments and _describe.
std::string zsh_text(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '\'')
      result += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      result += std::string("\\") + c;
    else
      result += c == '\n' ? ' ' : c;
  }
  return result;
}

void print_zsh_list(const char* indent, const std::vector<UsageNode>& nodes) {
  for (const UsageNode& node : nodes)
    std::cout << indent << "'" << node.name << ":" << zsh_text(node.summary) << "'\n";
}

void print_zsh_arguments(const char* indent, const UsageNode& node) {
  std::cout << indent << "_arguments '--help[explain the command]'";
  for (const OptionLine& option : node.options)
    std::cout << " \\\n"
              << indent << "  '--" << option.name << "[" << zsh_text(option.help) << "]"
              << (option.has_value ? ":value:_files'" : "'");
  std::cout << " \\\n" << indent << "  '*:file:_files'\n";
}

void print_zsh(const std::vector<UsageNode>& tree) {
  std::cout
      << "#compdef petlab\n"
         "# Completion of petlab for zsh: petlab completion zsh > DIR/_petlab, with DIR in $fpath\n"
         "_petlab() {\n"
         "  local -a commands actions\n"
         "  commands=(\n";
  print_zsh_list("    ", tree);
  std::cout << "  )\n"
               "  if (( CURRENT == 2 )); then _describe command commands; return; fi\n"
               "  local command=$words[2]\n"
               "  shift words; (( CURRENT-- ))\n"
               "  case $command in\n";
  for (const UsageNode& node : tree) {
    std::cout << "    " << node.name << ")\n";
    if (node.actions.empty()) {
      print_zsh_arguments("      ", node);
    } else {
      std::cout << "      actions=(\n";
      print_zsh_list("        ", node.actions);
      std::cout << "      )\n"
                   "      if (( CURRENT == 2 )); then _describe action actions; return; fi\n"
                   "      local action=$words[2]\n"
                   "      shift words; (( CURRENT-- ))\n"
                   "      case $action in\n";
      for (const UsageNode& action : node.actions) {
        std::cout << "        " << action.name << ")\n";
        print_zsh_arguments("          ", action);
        std::cout << "          ;;\n";
      }
      std::cout << "      esac\n";
    }
    std::cout << "      ;;\n";
  }
  std::cout << "    help) _describe command commands;;\n"
               "  esac\n"
               "}\n"
               "_petlab \"$@\"\n";
}

}  // namespace

int run_completion(const Arguments& arguments) {
  Usage usage{"completion",
              "SHELL",
              "Prints a script that completes commands and options. SHELL is bash or zsh.",
              po::options_description("Options"),
              {"SHELL"},
              "  source <(petlab completion bash)\n"
              "  petlab completion zsh > ~/.zfunc/_petlab\n"};
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const std::string shell = options->text("SHELL");
  if (shell == "bash")
    print_bash(usage_tree());
  else if (shell == "zsh")
    print_zsh(usage_tree());
  else
    base::throw_config_error("petlab completion: no shell '" + shell + "'" +
                             base::did_you_mean(shell, std::vector<std::string>{"bash", "zsh"}));
  return kOk;
}

}  // namespace petlab::app
