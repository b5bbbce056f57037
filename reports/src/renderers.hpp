#pragma once

#include "petlab/reports/render.hpp"

#include <string>

/// Whole files as text, one function a file. write_report() writes them.
namespace petlab::reports {

std::string markdown_page(const Report& report);
std::string html_page(const Page& page);

/// A line a row, numbers in full precision, accuracies as fractions.
std::string table_csv(const Report& report);
/// A line a run and task; runs without results have one line with their state.
std::string runs_csv(const Report& report);

}  // namespace petlab::reports
