#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace petlab::reports {

/// One line of a CSV file as in RFC 4180, field by field. Numbers are written in full precision.
class CsvLine {
 public:
  CsvLine& add(const std::string& text);
  CsvLine& add(std::int64_t value);
  CsvLine& add(double value);
  /// An empty field where there is no value.
  template <class Value>
  CsvLine& add(const std::optional<Value>& value) {
    return value ? add(*value) : add(std::string());
  }

  /// With its line break.
  std::string text() const { return text_ + "\n"; }

 private:
  std::string text_;
  bool first_ = true;
};

}  // namespace petlab::reports
