#include "csv_line.hpp"

#include "numbers.hpp"

namespace petlab::reports {
namespace {

// Fields with a comma, quote or line break are quoted, quotes doubled.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

CsvLine& CsvLine::add(const std::string& text) {
  if (!first_) text_ += ',';
  first_ = false;
  text_ += field(text);
  return *this;
}

CsvLine& CsvLine::add(std::int64_t value) {
  return add(std::to_string(value));
}

CsvLine& CsvLine::add(double value) {
  return add(exact(value));
}

}  // namespace petlab::reports
