#include "petlab/reports/quoted.hpp"

#include <algorithm>
#include <utility>

namespace petlab::reports {
namespace {

const std::string kMean = "mean";
const std::string kParameters = "parameters";
const std::string kPercent = "parameters-percent";

std::vector<std::string> known_quantities(const Report& report) {
  std::vector<std::string> known = report.tasks;
  for (const std::string& one : {kMean, kParameters, kPercent})
    known.push_back(one);
  return known;
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

std::vector<bool> add_quoted(Report& report, const std::vector<QuotedNumber>& numbers) {
  const std::vector<std::string> known = known_quantities(report);
  std::vector<bool> found;
  for (const QuotedNumber& number : numbers) {
    const auto row = std::find_if(report.rows.begin(), report.rows.end(),
                                  [&](const Row& r) { return r.label == number.row; });
    const bool is_here = row != report.rows.end() && matches_study(number.study, report.study) &&
                         std::find(known.begin(), known.end(), number.quantity) != known.end();
    if (is_here) row->quoted.push_back(number);
    found.push_back(is_here);
  }
  return found;
}

std::vector<std::string> quoted_quantities(const Report& report) {
  std::vector<std::string> quantities;
  for (const std::string& quantity : known_quantities(report)) {
    const bool any = std::any_of(report.rows.begin(), report.rows.end(), [&](const Row& row) {
      return std::any_of(row.quoted.begin(), row.quoted.end(),
                         [&](const QuotedNumber& one) { return one.quantity == quantity; });
    });
    if (any) quantities.push_back(quantity);
  }
  return quantities;
}

std::string quantity_title(const std::string& quantity) {
  if (quantity == kParameters) return "trainable";
  if (quantity == kPercent) return "% backbone";
  return quantity + " %";
}

std::vector<std::string> quoted_sources(const Report& report) {
  std::vector<std::pair<std::string, std::string>> sources;  // sentence without and with its rows
  for (const Row& row : report.rows) {
    for (const QuotedNumber& one : row.quoted) {
      const std::string where = one.source + ", p. " + one.page + ", " + one.table +
                                " (checked: " + one.verified_by + ")";
      const std::string what = row.label + " " + quantity_title(one.quantity);
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
