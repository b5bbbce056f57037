#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace petlab::reports {

/// A field of a CSV file: numbers in full precision, an empty field where there is no value. Made
/// from what the field holds, without a word.
class CsvValue {
 public:
  enum class Kind { nothing, number, text };

  CsvValue() = default;
  CsvValue(std::string text) : text_(std::move(text)), kind_(Kind::text) {}
  CsvValue(const char* text) : text_(text), kind_(Kind::text) {}
  CsvValue(double value);
  template <std::integral Integer>
  CsvValue(Integer value) : text_(std::to_string(value)), kind_(Kind::number) {}
  template <class Value>
  CsvValue(const std::optional<Value>& value) {
    if (value) *this = CsvValue(*value);
  }

  /// As it stands in the file, but for the quotes that some texts need.
  const std::string& text() const { return text_; }
  Kind kind() const { return kind_; }

 private:
  std::string text_;
  Kind kind_ = Kind::nothing;
};

/// A line of a CSV file as in RFC 4180, with its line break.
std::string csv_line(const std::vector<CsvValue>& fields);

}  // namespace petlab::reports
