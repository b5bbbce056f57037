#include "ini_line.hpp"

#include "petlab/base/text.hpp"

#include <boost/spirit/home/x3.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace petlab::study {
namespace {

namespace x3 = boost::spirit::x3;

namespace grammar {

using x3::char_;
using x3::eoi;
using x3::lit;

// Not the standard library's blanks, which depend on the locale.
const auto blank = char_(" \t\r");
const auto comment = char_("#;") >> *char_;
const auto rest = eoi | (+blank >> (eoi | (comment >> eoi)));

const auto section = '[' >> +(char_ - ']') >> ']' >> x3::omit[rest];
const auto key = x3::raw[+(char_ - '=')] >> '=' >> x3::omit[*blank];
const auto in_double = '"' >> *((lit("\"\"") >> x3::attr('"')) | (char_ - '"')) >> '"';
const auto in_single = '\'' >> *((lit("''") >> x3::attr('\'')) | (char_ - '\'')) >> '\'';
const auto plain_end = eoi | (+blank >> (eoi | lit('#')));
const auto plain = *(char_ - plain_end) >> x3::omit[*char_];

}  // namespace grammar

template <class Grammar, class... Result>
bool matches(std::string_view& text, const Grammar& grammar, Result&... result) {
  auto at = text.begin();
  if (!x3::parse(at, text.end(), grammar, result...)) return false;
  text.remove_prefix(static_cast<std::size_t>(at - text.begin()));
  return true;
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(" \t\r") - first + 1));
}

/// Quotes that word processors make; nothing takes them off.
bool begins_with_other_quotes(std::string_view text) {
  constexpr std::array<std::string_view, 10> kQuotes{"“", "”", "„", "‟", "«",
                                                     "»", "‘", "’", "‚", "`"};
  return std::any_of(kQuotes.begin(), kQuotes.end(),
                     [&](std::string_view quote) { return text.starts_with(quote); });
}

/// The value behind "key =" and its blanks. What is wrong with it, or "".
std::string parse_value(std::string_view text, std::string& value) {
  constexpr const char* kQuote = "; a value with such characters is written in quotes, \"so\"";
  if (text.starts_with('"') || text.starts_with('\'')) {
    const bool closed = text.front() == '"' ? matches(text, grammar::in_double, value)
                                            : matches(text, grammar::in_single, value);
    if (!closed) return "the quote that begins the value does not end";
    if (std::string_view behind = text; !matches(behind, grammar::rest))
      return "expected nothing but a comment behind the quotes, found '" + trimmed(text) +
             "'; a quote inside of quotes is written twice";
    return "";
  }
  if (begins_with_other_quotes(text))
    return "the value begins with a quotation mark that is neither \" nor '";
  const bool touches_equals = text.starts_with('#');
  (void)matches(text, grammar::plain, value);
  if (touches_equals) return std::string("the value begins with #") + kQuote;
  if (value.starts_with(';') || value.find(" ;") != std::string::npos ||
      value.find("\t;") != std::string::npos)
    return std::string("the value holds a ; where a comment would begin") + kQuote +
           ", a comment behind it begins with #";
  if (std::count(value.begin(), value.end(), '"') % 2 != 0)
    return std::string("the value holds a single \"") + kQuote;
  return "";
}

}  // namespace

IniResult parse_ini_line(std::string_view text) {
  IniLine line;
  const std::string shown = trimmed(text);
  text = shown;
  std::string tabs_apart = shown;
  std::replace(tabs_apart.begin(), tabs_apart.end(), '\t', ' ');
  if (!base::is_plain_text(tabs_apart))
    return {{}, "holds bytes that are no text (UTF-8), '" + base::escaped(shown) + "'"};
  if (text.empty() || matches(text, grammar::comment)) return {line, ""};
  if (text.starts_with('[')) {
    line.kind = IniLine::Kind::section;
    if (!matches(text, grammar::section, line.name))
      return {{}, "expected a section '[name]', found '" + shown + "'"};
    return {line, ""};
  }
  line.kind = IniLine::Kind::pair;
  const std::string not_a_pair = "expected 'key = value', found '" + shown + "'";
  std::string name;
  // Blanks behind '=' must stay apart from a '#' that touches it.
  const auto equals = text.find('=');
  const bool is_blank_behind =
      equals != std::string_view::npos && equals + 1 < text.size() && text[equals + 1] != '#';
  if (!matches(text, grammar::key, name)) return {{}, not_a_pair};
  line.name = trimmed(name);
  if (line.name.empty() || line.name.ends_with('.')) return {{}, not_a_pair};
  if (is_blank_behind && text.starts_with('#')) return {line, ""};
  if (std::string wrong = parse_value(text, line.value); !wrong.empty()) return {{}, wrong};
  return {line, ""};
}

std::string ini_value(const std::string& value) {
  const IniResult back = parse_ini_line("key = " + value);
  if (back.line && back.line->value == value) return value;
  std::string quoted = "\"";
  for (const char c : value)
    quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace petlab::study
