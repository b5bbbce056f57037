#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <optional>
#include <string>
#include <vector>

/// Accuracy by training size, of a study that has several.
namespace petlab::reports {

/// One row of the study's file over its sizes.
struct TrainSizeLine {
  std::string label;
  std::string sharing;
  bool trains = true;  ///< else it is the same at all sizes
  /// The row of each of Report::train_sizes; null where the plan has none.
  std::vector<const Row*> rows;
};

/// In study order; empty for a study with one size. They point into the report.
std::vector<TrainSizeLine> train_size_lines(const Report& report);

/// A line a row, a column a size: mean accuracy over domains with its interval. Without rows for a
/// study with one size.
TextTable make_train_size_table(const Report& report);

/// How to read it.
std::vector<std::string> make_train_size_legend(const Report& report);

/// "4 images", "1 image", "10 %": a size in words.
std::string train_size_text(const std::string& size);

}  // namespace petlab::reports
