#include "csv_line.hpp"

#include "numbers.hpp"
#include "petlab/base/text.hpp"

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

CsvValue::CsvValue(double value) : text_(exact(value)), kind_(Kind::number) {}

std::string csv_line(const std::vector<CsvValue>& fields) {
  std::string line;
  for (const CsvValue& value : fields)
    line += field(base::spreadsheet_text(value.text())) + ',';
  if (!line.empty()) line.pop_back();
  return line + '\n';
}

}  // namespace petlab::reports
