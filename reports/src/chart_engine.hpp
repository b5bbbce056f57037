#pragma once

#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <vector>

namespace petlab::reports {

/// One chart of a study that page and figure files show.
struct ChartName {
  std::string name;  // "accuracy_parameters"; one of several affinity charts is "affinity"
  std::string kind;  // which function of petlabCharts.draw
  std::string row;   // label of the row that the chart is about; "" for all rows
};

/// The charting library and reports/page/*.js in an embedded JavaScript engine: draws the charts of
/// the page as SVG without a browser. Starting it takes a fifth of a second. For one thread at a
/// time. All functions throw Error(internal) with the script's message when a script fails.
class ChartEngine {
 public:
  ChartEngine();
  ~ChartEngine();
  ChartEngine(ChartEngine&&) noexcept;
  ChartEngine& operator=(ChartEngine&&) noexcept;

  /// Which charts a study has, from its chart_data().
  std::vector<ChartName> charts_of(const nlohmann::ordered_json& study);

  /// An SVG document, `width` pixels wide, in light colours on white.
  std::string svg(const nlohmann::ordered_json& study, const ChartName& chart, int width);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace petlab::reports
