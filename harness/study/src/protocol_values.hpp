#pragma once

#include "petlab/study/protocol.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Texts of a protocol as values. All throw Error(config) that begins with the setting's origin.
namespace petlab::study {

[[noreturn]] void setting_error(const Setting& setting, const std::string& message);

[[nodiscard]] std::int64_t integer_value(const Setting& setting, std::int64_t minimum);
[[nodiscard]] double real_value(const Setting& setting, double minimum, double maximum);
[[nodiscard]] std::filesystem::path path_value(const Setting& setting);
[[nodiscard]] std::string name_value(const Setting& setting);
/// The same, or several with / between.
[[nodiscard]] std::string study_name_value(const Setting& setting);
/// "a, b,c" as its names; never empty.
[[nodiscard]] std::vector<std::string> list_value(const Setting& setting);
[[nodiscard]] std::string choice_value(const Setting& setting,
                                       const std::vector<std::string>& choices);

/// Names of study, rows and methods: letters, digits, and - _ + . inside.
[[nodiscard]] bool is_plain_name(const std::string& text);

}  // namespace petlab::study
