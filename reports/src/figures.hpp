#pragma once

#include "chart_engine.hpp"
#include "petlab/reports/report.hpp"
#include "train_size_table.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace petlab::reports {

/// A chart as a file.
struct Figure {
  std::string name;  // without folder and ending: "accuracy_parameters", "affinity_mmap-grouped"
  std::string svg;
};

/// What a chart shows, in words: the page's captions and the titles of the figure files.
struct ChartWords {
  std::string title;
  std::string text;  // how to read it
};
ChartWords words_of(const ChartName& chart, const Report& report);

/// The kind of the chart of accuracies by training size.
inline constexpr const char* kTrainSizeChart = "train_sizes";
ChartWords train_size_words(bool one_test_set);

/// All charts of the study; none for a study without finished runs.
std::vector<Figure> draw_figures(ChartEngine& engine, const Report& report);

/// The one that report.md shows, "accuracy_parameters"; "" for a study without finished runs.
std::string draw_main_figure(ChartEngine& engine, const Report& report);

/// The chart over several studies: of train_sizes_over() the one with this index.
Figure draw_train_sizes(ChartEngine& engine, const TrainSizes& sizes, std::size_t index);

/// What it is called, on the page and as a file: "train_sizes", "train_sizes_2" of the second.
std::string train_size_name(std::size_t index);

/// The text with everything but letters, digits, '-', '_' and '.' replaced by '-': a file name.
std::string file_stem(const std::string& text);

}  // namespace petlab::reports
