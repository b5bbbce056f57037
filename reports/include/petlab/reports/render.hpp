#pragma once

#include "petlab/reports/report.hpp"

#include <filesystem>
#include <iosfwd>
#include <vector>

namespace petlab::reports {

enum class Format {
  markdown,  // report.md, accuracy_parameters.svg
  csv,       // table.csv (a line a row), runs.csv (a line a run and task)
  html,      // report.html: one page that needs nothing else
};

struct TableStyle {
  bool ansi = false;  // bold and underlined places; for terminals only
  int width = 0;      // columns to fit into by leaving out the least important; 0: no limit
};

/// Prints the study's facts, the table and what belongs to it. A study without finished runs is
/// one sentence (and the failures, if any).
void print_table(std::ostream& out, const Report& report, const TableStyle& style = {});

/// Writes the files of the formats into the folder, which is made if needed; files of an earlier
/// report are replaced. Returns the paths in the order written. Throws Error(store) when a file
/// cannot be written.
std::vector<std::filesystem::path> write_report(const Report& report,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats);

}  // namespace petlab::reports
