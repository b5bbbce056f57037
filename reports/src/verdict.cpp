#include "verdict.hpp"

#include "numbers.hpp"
#include "protocol_text.hpp"
#include "significance.hpp"

namespace petlab::reports {
namespace {

// "5.46 ± 1.69 points", or without an interval where there is none.
std::string lead_text(const Estimate& difference) {
  std::string text = fixed(100.0 * difference.mean, 2);
  if (difference.half_width) text += " ± " + fixed(100.0 * *difference.half_width, 2);
  return text + " points";
}

std::string mean_words(const Row& row) {
  std::string text = fixed(100.0 * row.mean->mean, 2);
  if (row.mean->half_width) text += " ± " + fixed(100.0 * *row.mean->half_width, 2);
  return text + " %";
}

// The row with the second highest mean among those that the best was compared with.
const Row* runner_up(const Report& report) {
  const Row* next = nullptr;
  for (const Row& row : report.rows) {
    if (&row != &report.rows[*report.best] && row.is_ranked() &&
        (next == nullptr || row.mean->mean > next->mean->mean))
      next = &row;
  }
  return next;
}

std::string leads(const Report& report, const Row& best) {
  std::string text;
  const Row* next = runner_up(report);
  if (next != nullptr) {
    text += ", " + fixed(100.0 * (best.mean->mean - next->mean->mean), 2) + " points above " +
            next->label;
    if (const auto& versus = best.versus_best; versus && versus->low && versus->high)
      text += " (95 % interval " + fixed(100.0 * *versus->low, 2) + " to " +
              fixed(100.0 * *versus->high, 2) + ")";
  }
  const Row* zero_shot = report.zero_shot ? &report.rows[*report.zero_shot] : nullptr;
  if (zero_shot != nullptr && zero_shot != next && best.versus_zero_shot) {
    text += text.empty() ? ", " : " and ";
    text += lead_text(best.versus_zero_shot->difference) + " above zero-shot";
  }
  return text;
}

// How sure the first place is.
std::string certainty(const Report& report, const Row& best) {
  if (best.mean->n < 2) return " One seed says nothing about chance between seeds.";
  int below = 0;
  int open = 0;
  for (const Row& row : report.rows) {
    if (&row == &best || !row.versus_best || row.has_gaps()) continue;
    ++(row.versus_best->may_be_best ? open : below);
  }
  if (below + open == 0) return {};
  const std::string seeds = " With " + std::to_string(best.mean->n) + " seeds ";
  if (open == 0) return seeds + "all other rows are significantly below it.";
  if (below == 0)
    return seeds + "any other row may be the best as well, so the first place is open.";
  return seeds + std::to_string(below) + " of " + std::to_string(below + open) + " other rows " +
         (below == 1 ? "is" : "are") + " significantly below the best; the other " +
         (open == 1 ? "" : std::to_string(open) + " ") + "may be the best as well (n.s.).";
}

}  // namespace

std::string study_verdict(const Report& report) {
  if (report.finished == 0) return {};
  if (!report.best) return "No row has all of its planned runs, so there is no best row yet.";
  const Row& best = report.rows[*report.best];
  return best.label + " has the highest mean accuracy" + among_ranked(report) + ": " +
         mean_words(best) + leads(report, best) + "." + certainty(report, best);
}

std::string study_description(const Report& report) {
  return protocol_setting(report.protocol, "study", "description").value_or("");
}

}  // namespace petlab::reports
