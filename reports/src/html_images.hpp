#pragma once

#include "petlab/reports/report.hpp"

#include <string>

namespace petlab::reports {

/// Test images on which rows and the best one disagree, folded by row; "" where they were not asked
/// for.
std::string images_html(const Report& report);

}  // namespace petlab::reports
