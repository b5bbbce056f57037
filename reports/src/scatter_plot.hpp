#pragma once

#include "petlab/reports/report.hpp"

#include <string>

namespace petlab::reports {

/// Text with &, <, > and quotes replaced, for HTML and SVG.
std::string markup_escaped(const std::string& text);

/// Mean accuracy against trainable parameters as one <svg> element that carries its own style: a
/// logarithmic axis with a place for 0 at its left, t-interval bars, the seeds as small dots. Can
/// be a file of its own or part of a page; readable on light and on dark ground.
std::string scatter_plot(const Report& report);

}  // namespace petlab::reports
