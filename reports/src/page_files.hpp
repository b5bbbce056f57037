#pragma once

#include <string_view>

/// The files of reports/page and of the charting library, as text in the program.
namespace petlab::reports::page_files {

extern const std::string_view echarts;          // Apache ECharts, minified, with its notices
extern const std::string_view echarts_licence;  // its licence in full
extern const std::string_view charts;           // what each chart of a study is made of
extern const std::string_view page;             // tables, choosers, drawing in a browser
extern const std::string_view style;

}  // namespace petlab::reports::page_files
