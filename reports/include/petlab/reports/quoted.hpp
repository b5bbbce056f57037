#pragma once

#include "petlab/reports/report.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace petlab::reports {

/// True if `study` is `pattern`, in which each * stands for any text: "office-home-10/*".
bool matches_study(const std::string& pattern, const std::string& study);

/// Puts the numbers into the rows that they are about: those whose study pattern matches, whose row
/// has that label, and whose quantity is one that the report knows. Returns for each number whether
/// it found its row.
std::vector<bool> add_quoted(Report& report, const std::vector<QuotedNumber>& numbers);

/// The quantities quoted anywhere in the report, each once: domains in the report's order, the
/// mean, parameters.
std::vector<std::string> quoted_quantities(const Report& report);

/// "mean %" of "mean", "Art %" of "Art", "trainable" of "parameters", "% backbone" of
/// "parameters-percent".
std::string quantity_title(const std::string& quantity);

/// A sentence for each source that numbers of the report are quoted from.
std::vector<std::string> quoted_sources(const Report& report);

}  // namespace petlab::reports
