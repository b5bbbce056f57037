#pragma once

#include "petlab/reports/report.hpp"

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

namespace petlab::reports {

enum class Format {
  markdown,  // report.md, figures/accuracy_parameters.svg
  csv,       // table.csv (a line a row), runs.csv (a line a run and task), classes.csv (a line a
             // run, task and class), confusions.csv (a line a run, task and pair of classes); of a
             // study with cross-domain tests cross_domain.csv (a line a row and task)
  json,      // report.json: all studies, with the lines of table.csv and runs.csv
  latex,     // table.tex: a booktabs table to input into a paper
  html,      // report.html: one page that needs nothing else
  figures,   // figures/NAME.svg and .pdf: the charts of the page
};

/// What one report is about.
struct Page {
  std::string title;            // "": the names of the studies
  std::vector<Report> studies;  // at least one; in the order of the page
  /// False leaves out time stamps, measured seconds and memory, and how often a run was resumed:
  /// two reports of the same runs are then equal byte for byte, whenever the machine did them.
  bool times = true;
};

struct TableStyle {
  bool ansi = false;  // bold and underlined places; for terminals only
  int width = 0;      // columns to fit into by leaving out the least important; 0: no limit
};

/// Takes out what Page::times leaves out; write_report() does it by itself.
void leave_out_times(Report& report);

/// Names that Report::columns may have, in the order of the table.
std::vector<std::string> optional_columns();

/// Prints the study's facts, the table and what belongs to it. A study without finished runs is
/// one sentence (and the failures, if any).
void print_table(std::ostream& out, const Report& report, const TableStyle& style = {});

/// Prints the tables over several studies, each with an empty line before it: accuracy on the
/// domain left out, where several leave out one; accuracy by training size, where studies differ in
/// nothing else. Nothing for others.
void print_joint_tables(std::ostream& out, const std::vector<Report>& studies,
                        const TableStyle& style = {});

/// Writes the files of the formats into the folder, which is made if needed; files of an earlier
/// report are replaced. One study: the names at Format. Several: one report.html with a section for
/// each, and the other files once a study, called STUDY.md, STUDY.table.csv, figures/STUDY.NAME.svg
/// ... Returns the paths in the order written. Throws Error(store) when a file cannot be written
/// and Error(config) for two studies of one name.
std::vector<std::filesystem::path> write_report(const Page& page,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats);

/// The CSV files of Format::csv.
enum class CsvTable { rows, runs, classes, confusions };

/// A file of the format as text: report.md without its figure, one of the CSV files, table.tex, or
/// report.json. Throws Error(config) for formats that are no text, and for several studies in any
/// but JSON.
std::string report_text(const Page& page, Format format, CsvTable table = CsvTable::rows);

/// The same for one study.
std::vector<std::filesystem::path> write_report(const Report& report,
                                                const std::filesystem::path& folder,
                                                const std::vector<Format>& formats);

}  // namespace petlab::reports
