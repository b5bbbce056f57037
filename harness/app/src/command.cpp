#include "command.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/store_address.hpp"
#include "study_command.hpp"

#include <boost/program_options.hpp>
#include <nlohmann/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <sstream>
#include <string_view>

namespace petlab::app {
namespace {

std::string strip_dashes(const std::string& option) {
  const auto first = option.find_first_not_of('-');
  return first == std::string::npos ? option : option.substr(first);
}

std::string unknown_option(const Usage& usage, const std::string& option) {
  std::vector<std::string> known = {"--help"};
  for (const auto& one : usage.options.options())
    known.push_back("--" + one->long_name());
  const std::string hint = base::did_you_mean("--" + strip_dashes(option), known);
  return "unknown option '" + option + "'" + hint;
}

/// "FROM..." -> "FROM"
std::string positional_name(const std::string& argument) {
  return argument.substr(0, argument.find("..."));
}

constexpr std::string_view kPrefix = "PETLAB_";

/// "PETLAB_TRAIN_FRACTION" -> "train-fraction".
std::string option_name(std::string_view variable) {
  std::string name(variable.substr(kPrefix.size()));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '_' ? '-' : static_cast<char>(std::tolower(c));
  });
  return name;
}

/// The same when the command has such an option, else "".
std::string option_of_variable(const Usage& usage, const std::string& variable) {
  if (!variable.starts_with(kPrefix) || std::getenv(variable.c_str())[0] == '\0') return "";
  const std::string name = option_name(variable);
  const auto* option = usage.options.find_nothrow(name, /*approx=*/false);
  return option != nullptr && option->semantic()->max_tokens() == 1 ? name : "";
}

/// Variables of the environment that are not an option's.
constexpr const char* kOtherVariables[] = {"home",
                                           "cpu",
                                           "plugin-path",
                                           "matmul",
                                           "worker-of",
                                           "venv",
                                           "build",
                                           "jobs",
                                           "chromium",
                                           "clang",
                                           "python",
                                           "torch-root",
                                           "methods",
                                           "groupings",
                                           "icon-package",
                                           "emojilib-package",
                                           "emojibase-package",
                                           "charts-package",
                                           "update-golden"};

/// A variable that is meant for petlab and does nothing would go unseen: a slip of the pen in
/// PETLAB_EPOCHS leaves the file's value. Throws for one that is nearly an option of this command;
/// where a study is run, others are named too.
void check_environment(const Usage& usage) {
  const std::vector<std::string> studies = study_option_names();
  std::vector<std::string> own;
  for (const auto& option : usage.options.options())
    if (option->semantic()->max_tokens() == 1) own.push_back(option->long_name());
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view variable = text.substr(0, text.find('='));
    if (!variable.starts_with(kPrefix) || variable.starts_with("PETLAB_TEST_") ||
        variable.size() + 1 >= text.size())
      continue;
    const std::string name = option_name(variable);
    const auto is_name = [&](const std::string& known) { return known == name; };
    if (std::any_of(own.begin(), own.end(), is_name) ||
        std::any_of(studies.begin(), studies.end(), is_name) ||
        std::find(std::begin(kOtherVariables), std::end(kOtherVariables), name) !=
            std::end(kOtherVariables))
      continue;
    if (const std::string* meant = base::closest(name, own))
      base::throw_config_error("the environment has " + base::escaped(variable) +
                               ", which is no option of petlab " + usage.command +
                               "; did you mean " + variable_of(*meant) + "?");
    if (usage.options.find_nothrow("epochs", /*approx=*/false) != nullptr)
      std::cerr << "petlab: the environment has " << base::escaped(variable)
                << ", which is no option of petlab " << usage.command << " and changes nothing\n";
  }
}

nlohmann::json json_of(const Usage& usage) {
  nlohmann::json options = nlohmann::json::array();
  for (const auto& option : usage.options.options())
    options.push_back({{"name", option->long_name()},
                       {"value", option->semantic()->max_tokens() > 0},
                       {"help", option->description()}});
  return {{"command", usage.command},
          {"synopsis", usage.synopsis},
          {"text", usage.text},
          {"options", options},
          {"examples", usage.examples}};
}

void print_help(const Usage& usage) {
  std::cout << "petlab " << usage.command << " " << usage.synopsis << "\n\n" << usage.text << "\n";
  if (!usage.options.options().empty()) std::cout << "\n" << usage.options;
  if (!usage.examples.empty()) std::cout << "\nExamples:\n" << usage.examples;
}

/// Before a command does anything with an address of a store: what it prints and writes may go
/// anywhere.
void refuse_passwords(const Parsed& parsed) {
  for (const auto& [name, value] : parsed.values) {
    if (const auto* text = boost::any_cast<std::string>(&value.value()))
      results::check_address(*text);
    if (const auto* texts = boost::any_cast<std::vector<std::string>>(&value.value()))
      for (const std::string& one : *texts)
        results::check_address(one);
  }
}

}  // namespace

po::typed_value<std::string>* text_value() {
  return po::value<std::string>();
}
po::typed_value<std::vector<std::string>>* texts_value() {
  return po::value<std::vector<std::string>>();
}

int run_action(const std::string& group, const std::vector<Command>& actions,
               const Arguments& arguments, const std::string& examples) {
  const std::string wanted = arguments.empty() ? "" : arguments.front();
  std::vector<std::string> known;
  nlohmann::json listed = nlohmann::json::array();
  for (const Command& action : actions) {
    if (wanted == action.name) return action.run({arguments.begin() + 1, arguments.end()});
    known.emplace_back(action.name);
    listed.push_back({{"name", action.name}, {"summary", action.summary}});
  }
  if (wanted == kUsageAsJson) {
    std::cout << nlohmann::json{{"actions", listed}} << "\n";
    return kOk;
  }
  if (!wanted.empty() && wanted != "--help" && wanted != "-h")
    base::throw_config_error("petlab " + group + " has no action '" + wanted + "'" +
                             base::did_you_mean(wanted, known));
  std::cout << "petlab " << group << " ACTION [options]\n\n";
  for (const Command& action : actions)
    std::cout << "  " << action.name << std::string(14 - std::string(action.name).size(), ' ')
              << action.summary << "\n";
  std::cout << "\npetlab " << group << " ACTION --help says more."
            << (examples.empty() ? "" : " Examples:\n" + examples) << "\n";
  return wanted.empty() ? kUsage : kOk;
}

std::optional<Parsed> parse(const Usage& usage, const Arguments& arguments) {
  if (arguments == Arguments{kUsageAsJson}) {
    std::cout << json_of(usage) << "\n";
    return std::nullopt;
  }
  for (const std::string& argument : arguments)
    if (argument == "--help" || argument == "-h") {
      print_help(usage);
      return std::nullopt;
    }
  check_environment(usage);
  po::options_description all;
  po::positional_options_description positional;
  all.add(usage.options);
  po::options_description hidden;
  for (const std::string& argument : usage.positional) {
    const std::string name = positional_name(argument);
    if (name == argument) {
      hidden.add_options()(name.c_str(), text_value());
      positional.add(name.c_str(), 1);
    } else {
      hidden.add_options()(name.c_str(), texts_value());
      positional.add(name.c_str(), -1);
    }
  }
  all.add(hidden);

  namespace style = po::command_line_style;
  const int exact = style::unix_style & ~style::allow_guessing;
  Parsed result;
  try {
    po::store(
        po::command_line_parser(arguments).options(all).positional(positional).style(exact).run(),
        result.values);
    const po::variables_map given = result.values;
    po::store(po::parse_environment(
                  usage.options,
                  [&](const std::string& variable) { return option_of_variable(usage, variable); }),
              result.values);
    for (const auto& [name, value] : result.values)
      if (!value.defaulted() && (given.count(name) == 0 || given[name].defaulted()))
        result.from_environment.insert(name);
    po::notify(result.values);
  } catch (const po::unknown_option& error) {
    base::throw_config_error(unknown_option(usage, error.get_option_name()));
  } catch (const po::too_many_positional_options_error&) {
    base::throw_config_error(
        "petlab " + usage.command + " takes " + std::to_string(usage.positional.size()) +
        " argument(s) without dashes, found more; see petlab " + usage.command + " --help");
  } catch (const po::error& error) {
    base::throw_config_error(std::string(error.what()) + "; see petlab " + usage.command +
                             " --help");
  }
  refuse_passwords(result);
  for (const std::string& argument : usage.positional)
    if (!result.has(positional_name(argument)) && !usage.positional_optional)
      base::throw_config_error("petlab " + usage.command + " needs " + positional_name(argument) +
                               "; see petlab " + usage.command + " --help");
  return result;
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> result;
  std::string rest = text;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    if (const std::string one = rest.substr(0, comma); !one.empty()) result.push_back(one);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
  }
  return result;
}

int count_of(const Parsed& options, const std::string& name, int least, int most) {
  const int value = options.get<int>(name);
  if (value < least || value > most)
    base::throw_config_error("--" + name + " is " + std::to_string(value) + ", expected " +
                             "at least " + std::to_string(least) + " and at most " +
                             std::to_string(most));
  return value;
}

std::string printable_lines(const std::string& text) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);)
    result += base::escaped(line) + "\n";
  return result;
}

std::string grouped_digits(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3 + (number < 0 ? 1U : 0U);) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace petlab::app
