#include "known_answers.hpp"

#include "column_json.hpp"
#include "numbers.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/reports/quoted.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace petlab::reports {
namespace {

/// What rounding in fp64 may add to a distance that is exactly the allowed one.
constexpr double kRounding = 1e-9;

struct KnownAnswer {
  const QuotedNumber* quoted = nullptr;
  std::string title;               // of the quantity
  std::optional<double> measured;  // where all planned runs of the row are finished

  [[nodiscard]] std::string verdict() const {
    if (!measured) return "not run";
    const double distance = std::abs(*measured - *quoted_value(quoted->value));
    return distance <= *quoted->within + kRounding ? "met" : "not met";
  }
};

// In the order of rows, and of each row in that of quantities.
std::vector<KnownAnswer> known_answers(const Report& report) {
  std::vector<KnownAnswer> answers;
  const std::vector<Quantity> quantities = quoted_quantities(report);
  for (const Row& row : report.rows)
    for (const Quantity& quantity : quantities)
      for (const QuotedNumber& one : row.quoted)
        if (one.within && one.quantity == quantity.name)
          answers.push_back(
              {&one, quantity.title, row.has_gaps() ? std::nullopt : quantity.measured(row)});
  return answers;
}

ColumnList<KnownAnswer> answer_columns() {
  ColumnList<KnownAnswer> columns = {
      {.column = {.name = "row", .title = "row", .align = Align::left},
       .value = [](const KnownAnswer& one) { return CsvValue(one.quoted->row); }},
      {.column = {.name = "quantity", .title = "quantity", .align = Align::left},
       .text = [](const KnownAnswer& one) { return one.title; },
       .value = [](const KnownAnswer& one) { return CsvValue(one.quoted->quantity); }},
      {.column = {.name = "published",
                  .title = "published",
                  .reading = "Published: as printed in its source, which the table of rows names."},
       .value = [](const KnownAnswer& one) { return CsvValue(one.quoted->value); }},
      {.column = {.name = "within",
                  .title = "within",
                  .reading = "\nWithin: how far a measured number may be from it, in the same "
                             "unit; the file of published numbers says so."},
       .text = [](const KnownAnswer& one) { return base::number_text(*one.quoted->within); },
       .value = [](const KnownAnswer& one) { return CsvValue(one.quoted->within); }},
      {.column = {.name = "measured",
                  .title = "measured",
                  .reading = "\nMeasured: by the runs of the row, mean over seeds."},
       .text =
           [](const KnownAnswer& one) {
             if (!one.measured) return std::string();
             const bool is_count = one.quoted->quantity == "parameters";
             return is_count ? grouped_digits(std::llround(*one.measured))
                             : fixed(*one.measured, 3);
           },
       .value = [](const KnownAnswer& one) { return CsvValue(one.measured); }},
      {.column = {.name = "verdict",
                  .title = "verdict",
                  .align = Align::left,
                  .reading = "\nVerdict: not run where not all planned runs of the row are "
                             "finished."},
       .value = [](const KnownAnswer& one) { return CsvValue(one.verdict()); }}};
  return columns;
}

}  // namespace

bool has_known_answers(const Report& report) {
  return !known_answers(report).empty();
}

TextTable make_known_answers_table(const Report& report) {
  return text_table(answer_columns(), known_answers(report));
}

std::vector<std::string> make_known_answers_legend(const Report& report) {
  const std::vector<KnownAnswer> answers = known_answers(report);
  if (answers.empty()) return {};
  const auto count = [&](const char* verdict) {
    return std::to_string(std::count_if(answers.begin(), answers.end(),
                                        [&](const auto& one) { return one.verdict() == verdict; }));
  };
  std::vector<std::string> lines = {"Of " + std::to_string(answers.size()) + " known answers " +
                                    count("met") + " met, " + count("not met") + " not met, " +
                                    count("not run") + " not run."};
  for (std::string& line : legend_of(answer_columns()))
    lines.push_back(std::move(line));
  return lines;
}

std::string known_answers_csv(const Report& report) {
  return csv_file(answer_columns(), known_answers(report));
}

nlohmann::ordered_json known_answers_json(const Report& report) {
  return json_lines(answer_columns(), known_answers(report));
}

}  // namespace petlab::reports
