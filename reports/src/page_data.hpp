#pragma once

#include "petlab/reports/render.hpp"
#include "train_size_table.hpp"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <string>
#include <vector>

/// The numbers of a report as JSON: what reports/page/*.js reads.
namespace petlab::reports {

/// What the charts of a study are drawn from: of a large study what chart_rows() says. Rows in
/// study order; losses and accuracies with six digits; null where there is nothing.
nlohmann::ordered_json chart_data(const Report& report);

/// The same of a chart over several studies.
nlohmann::ordered_json chart_data(const TrainSizes& sizes);

/// Per-image predictions of the studies: for each study the test labels of its splits and the
/// predicted classes of its runs, a byte or two an image in base64, and a sentence on what was left
/// out ("" for nothing). All together take at most `budget` bytes: where all seeds would take more,
/// only the first seed of each row is there, and of those as many rows as there is room for.
std::vector<nlohmann::ordered_json> prediction_data(const std::vector<Report>& studies,
                                                    std::size_t budget);

/// JSON text that can stand inside an HTML script element.
std::string script_text(const nlohmann::ordered_json& data);

}  // namespace petlab::reports
