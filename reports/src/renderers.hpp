#pragma once

#include "chart_engine.hpp"
#include "petlab/reports/render.hpp"

#include <string>

/// Whole files as text, one function a file. write_report() writes them, and the CSV files of
/// row_table.hpp and run_table.hpp.
namespace petlab::reports {

/// `figure` is the path of the study's main figure, relative to the page; "" leaves it out.
std::string markdown_page(const Report& report, const std::string& figure);
std::string html_page(const Page& page, ChartEngine& engine);

/// {"format": "petlab report", "version": 1, "studies": [...]}: reports/README.md says the shape.
std::string report_json(const Page& page);

/// A LaTeX table (booktabs) with what fits on a printed page; its first line names the packages.
std::string table_latex(const Report& report);

}  // namespace petlab::reports
