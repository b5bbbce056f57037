#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace petlab::study {

/// A line of an INI file, taken apart.
struct IniLine {
  enum class Kind { empty, section, pair };
  Kind kind = Kind::empty;
  std::string name;   ///< of a section, or the key
  std::string value;  ///< of a pair, without quotes
};

/// The grammar, which harness/protocols/README.md explains:
///
///     line    = blanks (comment | section | pair | nothing)
///     section = '[' name ']' rest
///     pair    = key '=' blanks (quoted rest | plain)
///     quoted  = '"' characters '"', a quote among them doubled; or the same with '
///     plain   = characters up to a blank and '#'; without a blank and ';', no quote in front
///     rest    = blanks, with a comment behind at least one of them
///     comment = ('#' | ';') characters
///
/// Returns what is wrong with a line as a sentence's end ("expected ..."), or the line.
struct IniResult {
  std::optional<IniLine> line;
  std::string wrong;
};
[[nodiscard]] IniResult parse_ini_line(std::string_view text);

/// `value` as it must stand behind "key = " to be read back: quoted where it needs quotes.
[[nodiscard]] std::string ini_value(const std::string& value);

}  // namespace petlab::study
