#include "figures.hpp"

#include "chart_rows.hpp"
#include "markup.hpp"
#include "page_data.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace petlab::reports {
namespace {

// As wide as two columns of a paper want it.
constexpr int kFigureWidth = 900;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  std::string result;
  std::size_t at = 0;
  for (std::size_t next = 0; (next = text.find(from, at)) != std::string::npos;) {
    result.append(text, at, next - at).append(to);
    at = next + from.size();
  }
  text = result.append(text, at);
}

// What the library writes for a browser, made fit for a file: a title, text that stands at its
// height in viewers that know no dominant-baseline, and nothing about the mouse.
std::string as_file(std::string svg, const std::string& title) {
  svg.insert(svg.find('>') + 1, "\n<title>" + markup_escaped(title) + "</title>");
  replace_all(svg, " dominant-baseline=\"central\"", " dy=\"0.35em\"");
  replace_all(svg, " pointer-events=\"visible\"", "");
  if (const auto style = svg.find("<style >"); style != std::string::npos) {
    const std::string end = "</style>\n";
    svg.erase(style, svg.find(end, style) + end.size() - style);
  }
  for (const std::string_view attribute : {" class=\"zr", " ecmeta_"}) {
    for (std::size_t at = 0; (at = svg.find(attribute, at)) != std::string::npos;)
      svg.erase(at, svg.find('"', svg.find('"', at) + 1) + 1 - at);
  }
  return svg;
}

std::string file_name(const ChartName& chart) {
  return chart.row.empty() ? chart.name : chart.name + "_" + file_stem(chart.row);
}

}  // namespace

std::string file_stem(const std::string& text) {
  std::string stem;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || byte >= 0x80U;
    stem.push_back(plain ? c : '-');
  }
  if (stem.empty() || stem.front() == '.') stem.insert(0, "study");
  return stem;
}

namespace {

ChartWords words_of_kind(const ChartName& chart, const Report& report) {
  const std::string marks =
      "Large marks are rows (mean over domains and seeds), small dots their seeds, vertical bars "
      "95 % "
      "t-intervals of the mean; a bar that would squeeze the rest is cut at the edge. ";
  const std::string front =
      "The dashed line joins the rows that no row beats at the same cost or "
      "less (Pareto front).";
  if (chart.kind == "accuracy_parameters") {
    return {"Accuracy against trainable parameters",
            marks +
                "Where a found grouping changes the number of parameters, a horizontal bar "
                "spans the seeds. " +
                front};
  }
  if (chart.kind == "accuracy_seconds") {
    return {"Accuracy against training time",
            marks + "The horizontal bar spans the seeds' seconds. " + front};
  }
  if (chart.kind == "seeds") {
    return {
        "Every seed of every row",
        std::string("Rows from best to worst mean. Small dots are seeds, bars 95 % t-intervals of "
                    "the mean.") +
            (report.zero_shot ? " The dashed line is the mean of row '" +
                                    report.rows[*report.zero_shot].label + "'."
                              : "")};
  }
  if (chart.kind == kTrainSizeChart) return train_size_words(/*one_test_set=*/true);
  if (chart.kind == "critical_difference") {
    return {"Mean ranks over domains",
            "Rank 1 is best. A thick bar joins rows whose mean ranks differ by the critical "
            "difference or less (Nemenyi, 5 %): their difference is not significant."};
  }
  if (chart.kind == "learning_curves") {
    return {
        "Learning curves",
        "Mean training loss of each epoch, a line a seed; dotted: the affinity phase, before the "
        "grouping is known."};
  }
  return {"Task affinities of " + chart.row,
          "The larger a value, the more the strategy expects two tasks to help each other; the "
          "diagonal is left grey. Frames are the groups that were chosen; tasks stand in their "
          "order."};
}

}  // namespace

ChartWords train_size_words(bool one_test_set) {
  return {kTrainSizeTitle,
          std::string("A line a row: mean over domains and seeds at each size, with 95 % "
                      "t-intervals. ") +
              (one_test_set ? "One test set for all sizes."
                            : "Each size is a study of its own and tests on the images that it "
                              "does not train on, so that test images differ from size to size.") +
              " A dashed line is a row that trains nothing."};
}

ChartWords words_of(const ChartName& chart, const Report& report) {
  ChartWords words = words_of_kind(chart, report);
  if (chart.kind == "critical_difference" || chart.kind == kTrainSizeChart) return words;
  const std::string left_out =
      left_out_text(report, chart_rows(report), /*affinity=*/chart.kind == "affinity");
  if (!left_out.empty()) words.text += " " + left_out;
  return words;
}

std::vector<Figure> draw_figures(ChartEngine& engine, const Report& report) {
  const auto data = chart_data(report);
  std::vector<Figure> figures;
  for (const ChartName& chart : engine.charts_of(data)) {
    figures.push_back(
        {file_name(chart), as_file(engine.svg(data, chart, kFigureWidth),
                                   words_of(chart, report).title + ", study " + report.study)});
  }
  return figures;
}

Figure draw_train_sizes(ChartEngine& engine, const TrainSizes& sizes, std::size_t index) {
  const ChartName chart{kTrainSizeChart, kTrainSizeChart, ""};
  return {train_size_name(index), as_file(engine.svg(chart_data(sizes), chart, kFigureWidth),
                                          std::string(kTrainSizeTitle) + ", over studies")};
}

std::string train_size_name(std::size_t index) {
  return index == 0 ? kTrainSizeChart : kTrainSizeChart + ("_" + std::to_string(index + 1));
}

std::string draw_main_figure(ChartEngine& engine, const Report& report) {
  if (report.finished == 0) return {};
  const ChartName chart{"accuracy_parameters", "accuracy_parameters", ""};
  return as_file(engine.svg(chart_data(report), chart, kFigureWidth),
                 words_of(chart, report).title + ", study " + report.study);
}

}  // namespace petlab::reports
