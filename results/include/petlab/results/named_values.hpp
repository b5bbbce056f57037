#pragma once

#include "petlab/results/record.hpp"

#include <algorithm>
#include <string>
#include <string_view>

namespace petlab::results {

/// The value of a name; null where there is none.
[[nodiscard]] inline const std::string* find_value(const NamedValues& values,
                                                   std::string_view name) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const auto& value) { return value.first == name; });
  return found == values.end() ? nullptr : &found->second;
}

/// The value of a name; "" where there is none.
[[nodiscard]] inline std::string value_of(const NamedValues& values, std::string_view name) {
  const std::string* value = find_value(values, name);
  return value == nullptr ? std::string() : *value;
}

}  // namespace petlab::results
