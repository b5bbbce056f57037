#include "petlab/datasets/csv.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/base/text_encoding.hpp"

#include <csv.h>

#include <algorithm>
#include <optional>
#include <string_view>

namespace petlab::datasets {
namespace {

using base::Error;
using base::ErrorKind;

[[noreturn]] void fail(const std::filesystem::path& file, std::size_t line,
                       const std::string& what) {
  throw Error(ErrorKind::data,
              base::printable(file) + " line " + std::to_string(line) + ": " + what);
}

/// libcsv's parser, fed a line at a time so that each row knows where it begins.
class Parser {
 public:
  explicit Parser(const std::filesystem::path& file) : file_(file) {
    // Strict: a quote inside of a field that is not quoted is an error, as is a missing end quote.
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI) != 0)
      throw Error(ErrorKind::internal, "the CSV parser cannot be set up");
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });  // blanks are part of a value
  }
  ~Parser() { csv_free(&parser_); }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  std::vector<CsvRow> parse(const std::vector<std::uint8_t>& bytes) {
    const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (base::is_lfs_pointer(all))
      throw Error(ErrorKind::data, base::printable(file_) + base::kLfsPointer);
    const std::string_view text =
        base::without_byte_order_mark(all, base::printable(file_), ErrorKind::data);
    auto at = bytes.begin() + static_cast<std::ptrdiff_t>(all.size() - text.size());
    while (at != bytes.end()) {
      auto end = std::find(at, bytes.end(), '\n');
      if (end != bytes.end()) ++end;
      feed(&*at, static_cast<std::size_t>(end - at));
      at = end;
      ++line_;
    }
    if (csv_fini(&parser_, take_field, take_row, this) != 0)
      fail(file_, row_line_, "the quotes that begin in this row do not end");
    return std::move(rows_);
  }

 private:
  static void take_field(void* text, std::size_t size, void* self) {
    auto* parser = static_cast<Parser*>(self);
    parser->fields_.emplace_back(static_cast<const char*>(text), size);
  }
  static void take_row(int, void* self) {
    auto* parser = static_cast<Parser*>(self);
    parser->rows_.push_back({std::move(parser->fields_), parser->row_line_});
    parser->fields_.clear();
    parser->row_line_ = parser->line_ + 1;
  }
  void feed(const std::uint8_t* text, std::size_t size) {
    // A row that is open at the start of a line began on an earlier one.
    if (!inside_) row_line_ = line_;
    const std::size_t rows = rows_.size();
    if (csv_parse(&parser_, text, size, take_field, take_row, this) != size)
      fail(file_, line_,
           std::string("not CSV (") + csv_strerror(csv_error(&parser_)) +
               "): a value with quotes is written \"so \"\"quoted\"\"\"");
    inside_ = rows_.size() == rows && (inside_ || size > 2);
  }

  const std::filesystem::path& file_;
  csv_parser parser_{};
  std::vector<std::string> fields_;
  std::vector<CsvRow> rows_;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
  bool inside_ = false;
};

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// What to say where the columns are parted by another sign than a comma.
std::string delimiter_hint(const CsvRow& header) {
  if (header.values.size() > 1) return "";
  for (const char* sign : {";", "\t", "|"})
    if (header.values.front().find(sign) != std::string::npos)
      return std::string("; its columns are parted by ") +
             (*sign == '\t' ? "tabs" : std::string("'") + sign + "'") +
             ", expected ',': save it as CSV with commas";
  return "";
}

/// Where each wanted column is in the file.
std::vector<std::optional<std::size_t>> places(const std::filesystem::path& file,
                                               const CsvRow& header, const CsvColumns& columns) {
  std::vector<std::string> wanted = columns.required;
  wanted.insert(wanted.end(), columns.optional.begin(), columns.optional.end());
  std::vector<std::optional<std::size_t>> result(wanted.size());
  for (std::size_t i = 0; i < header.values.size(); ++i) {
    const auto found = std::find(wanted.begin(), wanted.end(), header.values[i]);
    if (found == wanted.end()) {
      if (columns.others) continue;
      fail(file, header.line,
           "unknown column '" + header.values[i] + "', expected the columns " + list_of(wanted));
    }
    auto& place = result[static_cast<std::size_t>(found - wanted.begin())];
    if (place) fail(file, header.line, "column '" + *found + "' is there twice");
    place = i;
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < columns.required.size(); ++i)
    if (!result[i]) missing.push_back(columns.required[i]);
  if (!missing.empty())
    fail(file, header.line,
         "missing column " + list_of(missing) +
             "; the header has: " + base::escaped(list_of(header.values)) + delimiter_hint(header));
  return result;
}

}  // namespace

std::vector<CsvRow> read_csv_rows(const std::filesystem::path& file, const CsvColumns& columns) {
  return parse_csv_rows(base::read_file(file), file, columns);
}

std::vector<CsvRow> parse_csv_rows(const std::vector<std::uint8_t>& bytes,
                                   const std::filesystem::path& file, const CsvColumns& columns) {
  std::vector<CsvRow> rows = Parser(file).parse(bytes);
  if (rows.empty())
    throw Error(ErrorKind::data, base::printable(file) + " is empty, expected a header line with " +
                                     list_of(columns.required));
  const CsvRow header = std::move(rows.front());
  rows.erase(rows.begin());
  const auto at = places(file, header, columns);
  for (CsvRow& row : rows) {
    if (row.values.size() != header.values.size())
      fail(file, row.line,
           std::to_string(row.values.size()) + " values, expected " +
               std::to_string(header.values.size()) + " as in the header");
    std::vector<std::string> values(at.size());
    for (std::size_t i = 0; i < at.size(); ++i)
      if (at[i]) values[i] = row.values[*at[i]];
    row.values = std::move(values);
  }
  return rows;
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace petlab::datasets
