#include "command.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/suggestion.hpp"

#include <boost/program_options.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>

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

/// "PETLAB_TRAIN_FRACTION" -> "train-fraction" when the command has such an option, else "".
std::string option_of_variable(const Usage& usage, const std::string& variable) {
  if (!variable.starts_with("PETLAB_") || std::getenv(variable.c_str())[0] == '\0') return "";
  std::string name = variable.substr(7);
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) {
    return c == '_' ? '-' : static_cast<char>(std::tolower(c));
  });
  const auto* option = usage.options.find_nothrow(name, /*approx=*/false);
  return option != nullptr && option->semantic()->max_tokens() == 1 ? name : "";
}

void print_help(const Usage& usage) {
  std::cout << "petlab " << usage.command << " " << usage.synopsis << "\n\n" << usage.text << "\n";
  if (!usage.options.options().empty()) std::cout << "\n" << usage.options;
  if (!usage.examples.empty()) std::cout << "\nExamples:\n" << usage.examples;
}

}  // namespace

po::typed_value<std::string>* text_value() {
  return po::value<std::string>();
}
po::typed_value<std::vector<std::string>>* texts_value() {
  return po::value<std::vector<std::string>>();
}

std::optional<Parsed> parse(const Usage& usage, const Arguments& arguments) {
  for (const std::string& argument : arguments)
    if (argument == "--help" || argument == "-h") {
      print_help(usage);
      return std::nullopt;
    }
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

std::string grouped_digits(std::int64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3 + (number < 0 ? 1U : 0U);) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace petlab::app
