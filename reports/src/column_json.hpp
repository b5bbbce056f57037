#pragma once

#include "column_list.hpp"

#include <nlohmann/json.hpp>

namespace petlab::reports {

/// A number, a text, or null where the CSV file has an empty field.
inline nlohmann::ordered_json json_of(const CsvValue& value) {
  switch (value.kind()) {
    case CsvValue::Kind::nothing:
      return nullptr;
    case CsvValue::Kind::text:
      return value.text();
    case CsvValue::Kind::number:
      break;
  }
  // What to_chars writes is JSON's, but for numbers that are not finite.
  return nlohmann::ordered_json::accept(value.text()) ? nlohmann::ordered_json::parse(value.text())
                                                      : nlohmann::ordered_json(nullptr);
}

/// The lines of csv_file() as an array of objects: the same names and values.
template <class Line, class Lines>
nlohmann::ordered_json json_lines(const ColumnList<Line>& columns, const Lines& lines) {
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (const auto& line : lines) {
    nlohmann::ordered_json object = nlohmann::ordered_json::object();
    for (const ColumnOf<Line>& column : columns) {
      if (!column.column.name.empty())
        object[column.column.name] = json_of(column.value(line_at<Line>(line)));
    }
    result.push_back(std::move(object));
  }
  return result;
}

/// As text with an end of line. Texts that are not UTF-8 have U+FFFD in place of what is not.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace petlab::reports
