#pragma once

#include "petlab/engine/value_names.hpp"

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

// Texts of settings as values. All throw Error(config) that begins with the setting's origin.
namespace petlab::engine {

/// One value of a study and where it was written, e.g. {"train.epochs", "20", "demo.ini:12"}.
/// The key is that of the protocol file: section, dot, name (harness/protocols/README.md).
struct Setting {
  std::string key;
  std::string value;
  std::string origin;          ///< "demo.ini:12", "--epochs", "PETLAB_EPOCHS"; opens error messages
  std::filesystem::path base;  ///< relative paths start here: the file's folder, or "" (working
                               ///< directory)
};

/// "demo.ini:12: 'train.epochs' is '0', MESSAGE".
[[noreturn]] void setting_error(const Setting& setting, const std::string& message);

/// Which numbers a setting takes; bounds belong to it unless said otherwise.
struct Range {
  double minimum = 0.0;
  double maximum = std::numeric_limits<double>::max();
  bool is_open_below = false;  ///< the minimum is none of them
  bool is_open_above = false;  ///< nor the maximum
};

/// ">= 0 and <= 1", "between 0 and 1", "from 0 to less than 1".
[[nodiscard]] std::string to_string(const Range& range);

/// No count of a study is larger: it would overflow in products, or never end.
inline constexpr std::int64_t kLargestCount = 1'000'000;
/// ">= 0 and <= 1000000"; ">= 0" where the maximum is the type's.
[[nodiscard]] std::string integer_bounds(std::int64_t minimum, std::int64_t maximum);
[[nodiscard]] std::int64_t integer_value(const Setting& setting, std::int64_t minimum,
                                         std::int64_t maximum = kLargestCount);
[[nodiscard]] double real_value(const Setting& setting, const Range& range);
[[nodiscard]] std::filesystem::path path_value(const Setting& setting);
/// "a, b,c" as its names; never empty.
[[nodiscard]] std::vector<std::string> list_value(const Setting& setting);
/// "a:2,b*:0.5" as factors by name, each above 0. With `names`, no others are taken.
[[nodiscard]] std::map<std::string, double> factors_value(
    const Setting& setting, const std::vector<std::string>& names = {});
/// The text that factors_value() reads back.
[[nodiscard]] std::string factors_text(const std::map<std::string, double>& factors);
/// One of the choices; another text is refused with a suggestion.
[[nodiscard]] std::string choice_value(const Setting& setting,
                                       const std::vector<std::string>& choices);
template <Named Enum>
[[nodiscard]] Enum choice_value(const Setting& setting) {
  return parse_value<Enum>(choice_value(setting, value_names<Enum>())).value();
}

}  // namespace petlab::engine
