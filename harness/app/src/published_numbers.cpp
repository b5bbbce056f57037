#include "published_numbers.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/datasets/csv.hpp"
#include "places.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <optional>

namespace petlab::app {
namespace fs = std::filesystem;
namespace {

constexpr std::array kColumns = {"study",  "row",  "quantity", "value",
                                 "source", "page", "table",    "verified_by"};
constexpr std::size_t kValue = 3;
constexpr const char* kWithin = "within";  // optional, behind the others

[[noreturn]] void fail(const fs::path& file, std::size_t line, const std::string& message) {
  throw base::Error(base::ErrorKind::data,
                    file.string() + ":" + std::to_string(line) + ": " + message);
}

/// Nothing of an empty cell.
std::optional<double> within_of(const std::string& text, const fs::path& file, std::size_t line) {
  if (text.find_first_not_of(" \t") == std::string::npos) return std::nullopt;
  const auto distance = base::parse_number<double>(text);
  if (!distance || !std::isfinite(*distance) || *distance < 0.0)
    fail(file, line, "within is '" + text + "', expected a number of at least 0, or nothing");
  return distance;
}

std::vector<fs::path> shipped_files() {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const auto& entry :
       fs::directory_iterator(project_home() / "reports" / "published", ignored))
    if (entry.path().extension() == ".csv") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

/// How many of the numbers are about no row of the studies.
std::size_t quote(std::vector<reports::Report>& studies,
                  const std::vector<reports::QuotedNumber>& numbers) {
  std::vector<bool> found(numbers.size(), false);
  for (reports::Report& study : studies) {
    const std::vector<bool> here = reports::add_quoted(study, numbers);
    for (std::size_t i = 0; i < found.size(); ++i)
      found[i] = found[i] || here[i];
  }
  return static_cast<std::size_t>(std::count(found.begin(), found.end(), false));
}

}  // namespace

std::vector<reports::QuotedNumber> read_published(const fs::path& file) {
  std::vector<reports::QuotedNumber> numbers;
  for (const datasets::CsvRow& row : datasets::read_csv_rows(
           file, {.required = {kColumns.begin(), kColumns.end()}, .optional = {kWithin}})) {
    const std::vector<std::string>& v = row.values;
    for (std::size_t i = 0; i < kColumns.size(); ++i)
      if (v[i].find_first_not_of(" \t") == std::string::npos)
        fail(file, row.line,
             std::string("column '") + kColumns[i] + "' is empty: a quoted number needs all");
    if (!reports::quoted_value(v[kValue]))
      fail(file, row.line,
           "value is '" + v[kValue] + "', expected a number as printed, e.g. 84.5 or ~0.09");
    numbers.push_back({v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7],
                       within_of(v[kColumns.size()], file, row.line)});
  }
  return numbers;
}

void add_published_option(po::options_description& options) {
  options.add_options()("published", texts_value(),
                        "CSV file with quoted numbers (reports/published/README.md), printed in "
                        "columns of their own; may be repeated");
}

void check_published(const Parsed& options) {
  if (!options.has("published")) return;
  for (const std::string& file : options.get<std::vector<std::string>>("published"))
    (void)read_published(file);
}

void quote_published(std::vector<reports::Report>& studies, const Parsed& options) {
  for (const fs::path& file : shipped_files())
    (void)quote(studies, read_published(file));
  if (!options.has("published")) return;
  for (const std::string& file : options.get<std::vector<std::string>>("published")) {
    const std::vector<reports::QuotedNumber> numbers = read_published(file);
    if (const std::size_t lost = quote(studies, numbers); lost > 0)
      std::cerr << "petlab: " << file << ": " << lost << " of " << numbers.size()
                << " numbers are about no row of this report\n";
  }
}

}  // namespace petlab::app
