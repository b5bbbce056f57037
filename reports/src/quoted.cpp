#include "petlab/reports/quoted.hpp"

#include "petlab/base/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace petlab::reports {
namespace {

std::optional<double> percent_of(const std::optional<double>& share) {
  return share ? std::optional(100.0 * *share) : std::nullopt;
}

std::optional<double> percent_of(const std::optional<Estimate>& accuracy) {
  return accuracy ? std::optional(100.0 * accuracy->mean) : std::nullopt;
}

}  // namespace

bool matches_study(const std::string& pattern, const std::string& study) {
  // Where the text behind the last star was tried: a mismatch tries one character further.
  std::size_t p = 0, s = 0, star = std::string::npos, tried = 0;
  while (s < study.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      tried = s;
    } else if (p < pattern.size() && pattern[p] == study[s]) {
      ++p;
      ++s;
    } else if (star != std::string::npos) {
      p = star + 1;
      s = ++tried;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

std::vector<Quantity> quantities_of(const Report& report) {
  std::vector<Quantity> all;
  for (std::size_t t = 0; t < report.tasks.size(); ++t)
    all.push_back({report.tasks[t], report.tasks[t] + " %", [t](const Row& row) {
                     return t < row.task_accuracy.size() ? percent_of(row.task_accuracy[t])
                                                         : std::nullopt;
                   }});
  all.push_back({"mean", "mean %", [](const Row& row) { return percent_of(row.mean); }});
  if (report.tests_new_classes) {
    all.push_back({"new-classes", "new classes %",
                   [](const Row& row) { return percent_of(row.new_classes); }});
    all.push_back({"harmonic-mean", "harmonic mean %",
                   [](const Row& row) { return percent_of(row.harmonic_mean); }});
  }
  all.push_back({"parameters", "trainable", [](const Row& row) -> std::optional<double> {
                   // A grouping that was found may make it another number with each seed.
                   if (!row.trainable || row.trainable->first != row.trainable->second)
                     return std::nullopt;
                   return static_cast<double>(row.trainable->first);
                 }});
  all.push_back(
      {"parameters-percent", "% backbone", [](const Row& row) { return row.trainable_percent; }});
  return all;
}

std::optional<double> quoted_value(std::string text) {
  if (text.starts_with('~')) text.erase(0, 1);
  std::erase(text, ',');
  const auto value = base::parse_number<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::vector<bool> add_quoted(Report& report, const std::vector<QuotedNumber>& numbers) {
  const std::vector<Quantity> known = quantities_of(report);
  std::vector<bool> found;
  for (const QuotedNumber& number : numbers) {
    const auto row = std::find_if(report.rows.begin(), report.rows.end(),
                                  [&](const Row& r) { return r.label == number.row; });
    const bool is_here = row != report.rows.end() && matches_study(number.study, report.study) &&
                         std::any_of(known.begin(), known.end(), [&](const Quantity& one) {
                           return one.name == number.quantity;
                         });
    if (is_here) row->quoted.push_back(number);
    found.push_back(is_here);
  }
  return found;
}

std::vector<Quantity> quoted_quantities(const Report& report) {
  std::vector<Quantity> quantities = quantities_of(report);
  std::erase_if(quantities, [&](const Quantity& quantity) {
    return std::none_of(report.rows.begin(), report.rows.end(), [&](const Row& row) {
      return std::any_of(row.quoted.begin(), row.quoted.end(),
                         [&](const QuotedNumber& one) { return one.quantity == quantity.name; });
    });
  });
  return quantities;
}

std::vector<std::string> quoted_sources(const Report& report) {
  const std::vector<Quantity> quantities = quoted_quantities(report);
  const auto title = [&](const std::string& name) {
    return std::find_if(quantities.begin(), quantities.end(),
                        [&](const Quantity& one) { return one.name == name; })
        ->title;
  };
  std::vector<std::pair<std::string, std::string>> sources;  // sentence without and with its rows
  for (const Row& row : report.rows) {
    for (const QuotedNumber& one : row.quoted) {
      const std::string where = one.source + ", p. " + one.page + ", " + one.table +
                                " (checked: " + one.verified_by + ")";
      const std::string what = row.label + " " + title(one.quantity);
      const auto same = std::find_if(sources.begin(), sources.end(),
                                     [&](const auto& source) { return source.first == where; });
      if (same == sources.end()) {
        sources.emplace_back(where, what);
      } else {
        same->second += ", " + what;
      }
    }
  }
  std::vector<std::string> sentences;
  for (const auto& [where, what] : sources)
    sentences.push_back("Quoted from " + where + ": " + what + ".");
  return sentences;
}

}  // namespace petlab::reports
