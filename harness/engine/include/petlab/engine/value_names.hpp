#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace petlab::engine {

/// The names of an enumeration's values, in its order: a specialisation beside the enumeration has
/// an array `kAll` of them. This is the one place where they are spelled.
template <class Enum>
struct ValueNames;

template <class Enum>
concept Named = requires { ValueNames<Enum>::kAll; };

template <Named Enum>
[[nodiscard]] std::string to_string(Enum value) {
  return ValueNames<Enum>::kAll.at(static_cast<std::size_t>(value));
}

/// The value of this name; nothing where there is none.
template <Named Enum>
[[nodiscard]] std::optional<Enum> parse_value(std::string_view name) {
  for (std::size_t i = 0; i < ValueNames<Enum>::kAll.size(); ++i)
    if (name == ValueNames<Enum>::kAll[i]) return static_cast<Enum>(i);
  return std::nullopt;
}

template <Named Enum>
[[nodiscard]] std::vector<std::string> value_names() {
  return {ValueNames<Enum>::kAll.begin(), ValueNames<Enum>::kAll.end()};
}

}  // namespace petlab::engine
