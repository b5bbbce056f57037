#pragma once

#include "petlab/reports/report.hpp"
#include "table_model.hpp"

#include <optional>
#include <string>
#include <vector>

/// Accuracy by training size: of a study that has several, and of studies that differ in theirs.
namespace petlab::reports {

/// One row of the study's file over its sizes.
struct TrainSizeLine {
  std::string label;
  std::string sharing;
  bool trains = true;
  /// The row of each size; null where the plan has none.
  std::vector<const Row*> rows;
};

/// What is said of rows over sizes.
struct TrainSizes {
  std::vector<std::string> sizes;    // ascending: images of each class or, below 1, shares
  std::vector<TrainSizeLine> lines;  // in study order; they point into the reports
  bool one_test_set = true;          // else the test images differ from one size to the next
};

/// Of the study; empty for one with one size. What trains nothing is the same at all sizes.
TrainSizes train_sizes_of(const Report& report);

inline constexpr const char* kTrainSizeTitle = "Accuracy by training size";

/// A line a row, a column a size: mean accuracy over domains with its interval. Without rows for a
/// study with one size.
TextTable make_train_size_table(const TrainSizes& sizes);
TextTable make_train_size_table(const Report& report);

/// How to read it.
std::vector<std::string> make_train_size_legend(const TrainSizes& sizes);
std::vector<std::string> make_train_size_legend(const Report& report);

/// "4 images", "1 image", "10 %": a size in words.
std::string train_size_text(const std::string& size);

}  // namespace petlab::reports
