#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <string>
#include <vector>

namespace petlab::reports {

/// A table that some studies have beside that of their rows.
struct SideTable {
  std::string id;     ///< "cross-domain": part of an anchor or a label
  std::string title;  ///< "Cross-domain accuracy"
  TextTable table;
  std::vector<std::string> legend;  ///< how to read it, in lines
};

/// Those that the study has, in the order in which they are shown: accuracy by training size,
/// cross-domain accuracy, known answers.
std::vector<SideTable> side_tables(const Report& report);

}  // namespace petlab::reports
