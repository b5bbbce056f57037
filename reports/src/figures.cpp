#include "figures.hpp"

#include "markup.hpp"
#include "page_data.hpp"

#include <algorithm>
#include <cctype>

namespace petlab::reports {
namespace {

// As wide as two columns of a paper want it.
constexpr int kFigureWidth = 900;

std::string titled(std::string svg, const std::string& title) {
  const auto end = svg.find('>');
  svg.insert(end + 1, "\n<title>" + markup_escaped(title) + "</title>");
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

ChartWords words_of(const ChartName& chart, const Report& report) {
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
  if (chart.kind == "critical_difference") {
    return {"Mean ranks over domains",
            "Rank 1 is best. A thick bar joins rows whose mean ranks differ by the critical "
            "difference or less (Nemenyi, 5 %): they cannot be told apart."};
  }
  if (chart.kind == "learning_curves") {
    return {"Learning curves",
            "Mean training loss of each epoch, a line a seed; dotted: warm-up epochs, before the "
            "grouping was known."};
  }
  return {"Task affinities of " + chart.row,
          "The larger a value, the more the strategy expects two tasks to help each other; the "
          "diagonal is left grey. Frames are the groups that were chosen; tasks stand in their "
          "order."};
}

std::vector<Figure> draw_figures(ChartEngine& engine, const Report& report) {
  const auto data = chart_data(report);
  std::vector<Figure> figures;
  for (const ChartName& chart : engine.charts_of(data)) {
    figures.push_back(
        {file_name(chart), titled(engine.svg(data, chart, kFigureWidth),
                                  words_of(chart, report).title + ", study " + report.study)});
  }
  return figures;
}

std::string draw_main_figure(ChartEngine& engine, const Report& report) {
  if (report.finished == 0) return {};
  const ChartName chart{"accuracy_parameters", "accuracy_parameters", ""};
  return titled(engine.svg(chart_data(report), chart, kFigureWidth),
                words_of(chart, report).title + ", study " + report.study);
}

}  // namespace petlab::reports
