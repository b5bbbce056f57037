#pragma once

#include "petlab/sdk/error.hpp"

#include <charconv>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace petlab::sdk {

enum class OptionType : std::uint32_t { integer, real, boolean, text, choice };

/// One option of a method or grouping, as data: `petlab describe` prints it, the protocol sets it,
/// the run identity holds its value. Only pointers to literals, so that it needs no code at load.
struct OptionSpec {
  const char* name;
  OptionType type;
  const char* default_value;
  const char* help;
  double minimum = std::numeric_limits<double>::lowest();  ///< inclusive; integer and real
  double maximum = std::numeric_limits<double>::max();     ///< inclusive; integer and real
  const char* choices = "";                                ///< "a|b|c"; choice
};

/// The checked values of an entry's options: every option of the schema, given or default.
class Options {
 public:
  Options() = default;

  /// Checks `given` against the schema. `where` names the owner in errors, e.g. "method 'coop'".
  /// Throws Error(config) for an unknown name, a value of the wrong type or out of range.
  Options(std::span<const OptionSpec> schema, const std::map<std::string, std::string>& given,
          std::string_view where) {
    for (const OptionSpec& spec : schema)
      values_[spec.name] = spec.default_value;
    for (const auto& [name, value] : given) {
      const OptionSpec* spec = find(schema, name);
      if (spec == nullptr) {
        std::string known;
        for (const OptionSpec& s : schema)
          known += (known.empty() ? "" : ", ") + std::string(s.name);
        throw Error(ErrorKind::config, std::string(where) + " has no option '" + name +
                                           "'; it knows " + (known.empty() ? "none" : known));
      }
      check(*spec, value, where);
      values_[name] = value;
    }
  }

  [[nodiscard]] std::int64_t integer(std::string_view name) const {
    std::int64_t result = 0;
    const std::string& value = at(name);
    std::from_chars(value.data(), value.data() + value.size(), result);
    return result;
  }
  [[nodiscard]] double real(std::string_view name) const { return parse_real(at(name)); }
  [[nodiscard]] bool boolean(std::string_view name) const { return at(name) == "true"; }
  [[nodiscard]] const std::string& text(std::string_view name) const { return at(name); }

  /// All values as text, sorted by name: the canonical form for the run identity and the store.
  [[nodiscard]] const std::map<std::string, std::string>& values() const { return values_; }

 private:
  static const OptionSpec* find(std::span<const OptionSpec> schema, std::string_view name) {
    for (const OptionSpec& spec : schema)
      if (name == spec.name) return &spec;
    return nullptr;
  }

  static double parse_real(const std::string& value) {
    double result = std::numeric_limits<double>::quiet_NaN();
    const char* end = value.data() + value.size();
    const auto [last, error] = std::from_chars(value.data(), end, result);
    return error == std::errc() && last == end ? result : std::numeric_limits<double>::quiet_NaN();
  }

  static std::string expected(const OptionSpec& spec) {
    switch (spec.type) {
      case OptionType::integer:
        return "an integer" + bounds(spec);
      case OptionType::real:
        return "a number" + bounds(spec);
      case OptionType::boolean:
        return "true or false";
      case OptionType::choice:
        return std::string("one of ") + spec.choices;
      case OptionType::text:
        return "a text";
    }
    return "";
  }

  static std::string bounds(const OptionSpec& spec) {
    std::string result;
    if (spec.minimum > std::numeric_limits<double>::lowest())
      result += " >= " + number(spec.minimum);
    if (spec.maximum < std::numeric_limits<double>::max())
      result += (result.empty() ? " <= " : " and <= ") + number(spec.maximum);
    return result;
  }

  static std::string number(double value) {
    char buffer[32];
    const auto result = std::to_chars(buffer, buffer + sizeof buffer, value);
    return {buffer, result.ptr};
  }

  static bool fits(const OptionSpec& spec, const std::string& value) {
    switch (spec.type) {
      case OptionType::integer: {
        std::int64_t integer = 0;
        const char* end = value.data() + value.size();
        const auto [last, error] = std::from_chars(value.data(), end, integer);
        return error == std::errc() && last == end &&
               static_cast<double>(integer) >= spec.minimum &&
               static_cast<double>(integer) <= spec.maximum;
      }
      case OptionType::real: {
        const double real = parse_real(value);
        return real >= spec.minimum && real <= spec.maximum;  // false for NaN
      }
      case OptionType::boolean:
        return value == "true" || value == "false";
      case OptionType::choice:
        return !value.empty() && value.find('|') == std::string::npos &&
               ("|" + std::string(spec.choices) + "|").find("|" + value + "|") != std::string::npos;
      case OptionType::text:
        return true;
    }
    return false;
  }

  static void check(const OptionSpec& spec, const std::string& value, std::string_view where) {
    if (!fits(spec, value))
      throw Error(ErrorKind::config, std::string(where) + ": option '" + spec.name + "' is '" +
                                         value + "', expected " + expected(spec));
  }

  const std::string& at(std::string_view name) const {
    const auto found = values_.find(std::string(name));
    if (found == values_.end())
      throw Error(ErrorKind::internal, "option '" + std::string(name) + "' is not in the schema");
    return found->second;
  }

  std::map<std::string, std::string> values_;
};

}  // namespace petlab::sdk
