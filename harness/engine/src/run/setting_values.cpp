#include "petlab/engine/setting_values.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace petlab::engine {

void setting_error(const Setting& setting, const std::string& message) {
  const std::string where = setting.origin.empty() ? "" : setting.origin + ": ";
  base::throw_config_error(where + "'" + setting.key + "' is '" + setting.value + "', " + message);
}

std::string to_string(const Range& range) {
  const std::string minimum = base::number_text(range.minimum);
  const std::string maximum = base::number_text(range.maximum);
  if (range.is_open_below && range.is_open_above) return "between " + minimum + " and " + maximum;
  if (range.is_open_above) return "from " + minimum + " to less than " + maximum;
  return (range.is_open_below ? "> " : ">= ") + minimum +
         (range.maximum < std::numeric_limits<double>::max() ? " and <= " + maximum : "");
}

std::string integer_bounds(std::int64_t minimum, std::int64_t maximum) {
  return ">= " + std::to_string(minimum) +
         (maximum < std::numeric_limits<std::int64_t>::max() ? " and <= " + std::to_string(maximum)
                                                             : "");
}

std::int64_t integer_value(const Setting& setting, std::int64_t minimum, std::int64_t maximum) {
  const auto number = base::parse_number<std::int64_t>(setting.value);
  if (!number || *number < minimum || *number > maximum)
    setting_error(setting, "expected an integer " + integer_bounds(minimum, maximum));
  return *number;
}

double real_value(const Setting& setting, const Range& range) {
  const auto number = base::parse_number<double>(setting.value);
  const bool fits = number && std::isfinite(*number) &&
                    (range.is_open_below ? *number > range.minimum : *number >= range.minimum) &&
                    (range.is_open_above ? *number < range.maximum : *number <= range.maximum);
  if (!fits) setting_error(setting, "expected a number " + to_string(range));
  return *number;
}

std::filesystem::path path_value(const Setting& setting) {
  if (setting.value.empty()) setting_error(setting, "expected a path");
  return std::filesystem::absolute(setting.base / setting.value).lexically_normal();
}

std::vector<std::string> list_value(const Setting& setting) {
  std::vector<std::string> values;
  std::string rest = setting.value;
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    std::string one = rest.substr(0, comma);
    one.erase(0, one.find_first_not_of(" \t"));
    one.resize(one.find_last_not_of(" \t") + 1);
    if (!one.empty()) values.push_back(one);
    rest = comma == std::string::npos ? "" : rest.substr(comma + 1);
  }
  if (values.empty()) setting_error(setting, "expected names with commas between");
  return values;
}

std::string choice_value(const Setting& setting, const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), setting.value) != choices.end())
    return setting.value;
  const std::string hint = base::did_you_mean(setting.value, choices);
  setting_error(setting, "expected one of " + base::joined(choices) +
                             (hint.starts_with("; did") ? hint : std::string()));
}

std::map<std::string, double> factors_value(const Setting& setting,
                                            const std::vector<std::string>& names) {
  std::map<std::string, double> factors;
  for (const std::string& part : list_value(setting)) {
    const std::size_t colon = part.rfind(':');
    const auto factor = colon == std::string::npos
                            ? std::nullopt
                            : base::parse_number<double>(part.substr(colon + 1));
    const std::string name = part.substr(0, colon);
    if (!factor || !std::isfinite(*factor) || *factor <= 0.0 || name.empty())
      setting_error(setting,
                    "expected NAME:FACTOR with a factor above 0 in place of '" + part + "'");
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end())
      setting_error(setting, "'" + name + "' is none of " + base::joined(names) +
                                 base::did_you_mean(name, names));
    if (!factors.emplace(name, *factor).second)
      setting_error(setting, "'" + name + "' has two factors");
  }
  return factors;
}

std::string factors_text(const std::map<std::string, double>& factors) {
  std::string text;
  for (const auto& [name, factor] : factors)
    text += (text.empty() ? "" : ",") + name + ":" + base::number_text(factor);
  return text;
}

}  // namespace petlab::engine
