#include "petlab/reports/query_text.hpp"

#include "csv_line.hpp"
#include "numbers.hpp"
#include "petlab/base/text.hpp"
#include "table_model.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>

namespace petlab::reports {
namespace {

using results::Blob;
using results::SqlValue;

std::string hex(const std::string& bytes) {
  constexpr const char* kDigits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 0xFU];
  }
  return text;
}

CsvValue field(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<Blob>(&value)) return "x'" + hex(blob->bytes) + "'";
  return {};
}

nlohmann::json json_of(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<Blob>(&value)) return hex(blob->bytes);
  return nullptr;
}

bool is_number(const SqlValue& value) {
  return std::holds_alternative<std::int64_t>(value) || std::holds_alternative<double>(value);
}

void print_text(std::ostream& out, const results::QueryResult& result) {
  const std::size_t columns = result.columns.size();
  std::vector<std::vector<std::string>> lines(1);
  for (const std::string& name : result.columns)
    lines.front().push_back(base::escaped(name));
  std::vector<bool> right(columns, true);  // columns of numbers
  for (const auto& row : result.rows) {
    std::vector<std::string>& cells = lines.emplace_back();
    for (std::size_t c = 0; c < columns; ++c) {
      const bool null = std::holds_alternative<std::monostate>(row[c]);
      right[c] = right[c] && (null || is_number(row[c]));
      cells.push_back(null ? kNothing : base::escaped(field(row[c]).text()));
    }
  }
  std::vector<int> widths(columns, 0);
  for (const auto& cells : lines)
    for (std::size_t c = 0; c < columns; ++c)
      widths[c] = std::max(widths[c], display_width(cells[c]));
  std::vector<std::string> rule;
  for (const int width : widths)
    rule.emplace_back(static_cast<std::size_t>(width), '-');
  lines.insert(lines.begin() + 1, std::move(rule));
  for (const auto& cells : lines) {
    std::string line;
    for (std::size_t c = 0; c < columns; ++c) {
      const std::string space(static_cast<std::size_t>(widths[c] - display_width(cells[c])), ' ');
      line += (c == 0 ? "" : "  ") + (right[c] ? space + cells[c] : cells[c] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
  out << "(" << result.rows.size() << (result.rows.size() == 1 ? " row)\n" : " rows)\n");
}

void print_csv(std::ostream& out, const results::QueryResult& result) {
  out << csv_line({result.columns.begin(), result.columns.end()});
  for (const auto& row : result.rows) {
    std::vector<CsvValue> fields;
    for (const SqlValue& value : row)
      fields.push_back(field(value));
    out << csv_line(fields);
  }
}

void print_json(std::ostream& out, const results::QueryResult& result) {
  const auto dump = [](const nlohmann::json& value) {
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  out << "{\"columns\": " << dump(result.columns) << ", \"rows\": [";
  const char* comma = "\n  ";
  for (const auto& row : result.rows) {
    nlohmann::json values = nlohmann::json::array();
    for (const SqlValue& value : row)
      values.push_back(json_of(value));
    out << comma << dump(values);
    comma = ",\n  ";
  }
  out << "]}\n";
}

}  // namespace

void print_query(std::ostream& out, const results::QueryResult& result, QueryFormat format) {
  switch (format) {
    case QueryFormat::text:
      return print_text(out, result);
    case QueryFormat::csv:
      return print_csv(out, result);
    case QueryFormat::json:
      return print_json(out, result);
  }
}

}  // namespace petlab::reports
