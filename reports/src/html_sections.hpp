#pragma once

#include "figures.hpp"
#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <string>
#include <vector>

/// The parts of the HTML page that one study fills.
namespace petlab::reports {

/// Where a study stands on the page.
struct StudyPlace {
  std::string id;         // start of the ids of its sections: "s0"
  int heading = 2;        // level of the section headings: 2 where the page has one study, else 3
  std::size_t index = 0;  // of the study's data on the page
};

/// A section that the table of contents names.
struct Section {
  std::string id;
  std::string title;
  std::string html;  // without its heading; not empty
};

/// A table that a script can sort: `label` says what it holds, to those who cannot see it.
std::string table_html(const TextTable& table, const std::string& label);

/// How to read a table: `first` as it is, then a paragraph a line.
std::string legend_html(const std::vector<std::string>& lines, const std::string& first = {});

/// A chart that a script draws when it comes into view, from the page's data of the index `data`;
/// `choose`: HTML of what a reader chooses above it.
std::string chart_html(const ChartName& chart, const ChartWords& words, std::size_t data,
                       const std::string& choose = {});

/// All sections of the study in the order of the page.
std::vector<Section> study_sections(const Report& report, const StudyPlace& place,
                                    const std::vector<ChartName>& charts);

}  // namespace petlab::reports
