#include "petlab/reports/quoted.hpp"

#include "petlab/base/numbers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>
#include <tuple>
#include <utility>

namespace petlab::reports {
namespace {

std::optional<double> percent_of(const std::optional<double>& share) {
  return share ? std::optional(100.0 * *share) : std::nullopt;
}

std::optional<double> percent_of(const std::optional<Estimate>& accuracy) {
  return accuracy ? std::optional(100.0 * accuracy->mean) : std::nullopt;
}

bool is_reserved(const std::string& name) {
  constexpr std::array<std::string_view, 5> kNames = {"mean", "new-classes", "harmonic-mean",
                                                      "parameters", "parameters-percent"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// "149,620,737", "1,024.5"; not "36,67", where the comma may be a decimal one.
bool commas_part_thousands(std::string_view text) {
  std::string_view whole = text.substr(0, text.find('.'));
  if (text.substr(whole.size()).find(',') != std::string_view::npos) return false;
  if (whole.starts_with('-')) whole.remove_prefix(1);
  if (whole.starts_with("0,")) return false;
  bool is_first = true;
  while (true) {
    const std::string_view group = whole.substr(0, whole.find(','));
    const bool is_last = group.size() == whole.size();
    if (is_first && is_last) return true;  // without a comma
    if (group.size() > 3 || group.empty() || (!is_first && group.size() != 3) ||
        group.find_first_not_of("0123456789") != std::string_view::npos)
      return false;
    if (is_last) return true;
    whole.remove_prefix(group.size() + 1);
    is_first = false;
  }
}

bool are_same(const QuotedNumber& a, const QuotedNumber& b) {
  const auto all = [](const QuotedNumber& one) {
    return std::tie(one.study, one.row, one.quantity, one.value, one.source, one.page, one.table,
                    one.verified_by, one.within);
  };
  return all(a) == all(b);
}

void add_once(std::vector<QuotedNumber>& numbers, const QuotedNumber& number) {
  if (std::none_of(numbers.begin(), numbers.end(),
                   [&](const QuotedNumber& one) { return are_same(one, number); }))
    numbers.push_back(number);
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
  for (std::size_t t = 0; t < report.tasks.size(); ++t) {
    if (is_reserved(report.tasks[t])) continue;
    all.push_back({report.tasks[t], report.tasks[t] + " %", [t](const Row& row) {
                     return t < row.task_accuracy.size() ? percent_of(row.task_accuracy[t])
                                                         : std::nullopt;
                   }});
  }
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
  if (!commas_part_thousands(text)) return std::nullopt;
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
    if (is_here) add_once(row->quoted, number);
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
