#include "side_tables.hpp"

#include "cross_domain.hpp"
#include "known_answers.hpp"
#include "train_size_table.hpp"

#include <utility>

namespace petlab::reports {

std::vector<SideTable> side_tables(const Report& report) {
  std::vector<SideTable> tables = {
      {"sizes", kTrainSizeTitle, make_train_size_table(report), make_train_size_legend(report)},
      {"cross-domain", "Cross-domain accuracy", make_cross_domain_table(report),
       make_cross_domain_legend(report)},
      {"known-answers", "Known answers", make_known_answers_table(report),
       make_known_answers_legend(report)}};
  std::erase_if(tables, [](const SideTable& one) { return one.table.rows.empty(); });
  return tables;
}

}  // namespace petlab::reports
