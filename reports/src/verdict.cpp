#include "verdict.hpp"

#include "numbers.hpp"
#include "row_table.hpp"

#include <sstream>
#include <string_view>

namespace petlab::reports {
namespace {

// "5.46 ± 1.69 points", or without an interval where there is none.
std::string lead_text(const Estimate& difference, double sign) {
  std::string text = fixed(100.0 * sign * difference.mean, 2);
  if (difference.half_width) text += " ± " + fixed(100.0 * *difference.half_width, 2);
  return text + " points";
}

std::string mean_words(const Row& row) {
  std::string text = fixed(100.0 * row.mean->mean, 2);
  if (row.mean->half_width) text += " ± " + fixed(100.0 * *row.mean->half_width, 2);
  return text + " %";
}

// The row with the second highest mean among those that were compared with the best.
const Row* runner_up(const Report& report) {
  const Row* next = nullptr;
  for (const Row& row : report.rows) {
    const bool compared =
        row.versus_best && row.place != Place::best && row.failed == 0 && row.missing_seeds.empty();
    if (compared && (next == nullptr || row.mean->mean > next->mean->mean)) next = &row;
  }
  return next;
}

std::string leads(const Report& report, const Row& best) {
  std::string text;
  const Row* next = runner_up(report);
  if (next != nullptr)
    text += ", " + lead_text(next->versus_best->difference, -1.0) + " above " + next->label;
  const Row* zero_shot = report.zero_shot ? &report.rows[*report.zero_shot] : nullptr;
  if (zero_shot != nullptr && zero_shot != next && best.versus_zero_shot) {
    text += text.empty() ? ", " : " and ";
    text += lead_text(best.versus_zero_shot->difference, 1.0) + " above zero-shot";
  }
  return text;
}

// How sure the first place is.
std::string certainty(const Report& report, const Row& best) {
  if (best.mean->n < 2) return " One seed says nothing about chance between seeds.";
  int different = 0;
  int alike = 0;
  for (const Row& row : report.rows) {
    if (&row == &best || row.failed > 0 || !row.missing_seeds.empty() || !row.mean) continue;
    ++(row.among_best ? alike : different);
  }
  if (different + alike == 0) return {};
  const std::string seeds = " with " + std::to_string(best.mean->n) + " seeds";
  if (alike == 0) return " It is significantly better than all other rows" + seeds + ".";
  if (different == 0)
    return " No other row is significantly different from it" + seeds +
           ", so the first place is open.";
  return " It is significantly better than " + std::to_string(different) + " of " +
         std::to_string(different + alike) + " other rows" + seeds + "; the other " +
         (alike == 1 ? std::string("is") : std::to_string(alike) + " are") +
         " not significantly different from it.";
}

}  // namespace

std::string study_verdict(const Report& report) {
  if (report.finished == 0) return {};
  if (!report.best) return "No row has all of its planned runs, so there is no best row yet.";
  const Row& best = report.rows[*report.best];
  return best.label + " has the highest mean accuracy: " + mean_words(best) + leads(report, best) +
         "." + certainty(report, best);
}

std::string study_description(const Report& report) {
  constexpr std::string_view kKey = "description = ";
  std::istringstream lines(report.protocol);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(kKey)) return line.substr(kKey.size());
  return {};
}

}  // namespace petlab::reports
