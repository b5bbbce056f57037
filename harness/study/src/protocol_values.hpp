#pragma once

#include "petlab/study/protocol.hpp"

#include <string>

// Names in a protocol. All throw Error(config) that begins with the setting's origin.
namespace petlab::study {

[[nodiscard]] std::string name_value(const Setting& setting);
/// The same, or several with / between.
[[nodiscard]] std::string study_name_value(const Setting& setting);

/// Names of study, rows and methods: letters, digits, and - _ + . inside.
[[nodiscard]] bool is_plain_name(const std::string& text);

}  // namespace petlab::study
