#include "column_list.hpp"
#include "html_sections.hpp"
#include "left_out.hpp"
#include "markup.hpp"
#include "numbers.hpp"
#include "page_data.hpp"
#include "page_files.hpp"
#include "renderers.hpp"
#include "row_table.hpp"
#include "table_model.hpp"
#include "train_size_studies.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

// Predictions of all runs on the page, before only one seed of each row is kept.
constexpr std::size_t kPredictionBudget = 4'000'000;

std::string title_of(const Page& page) {
  if (!page.title.empty()) return page.title;
  std::string title;
  for (const Report& study : page.studies)
    title += (title.empty() ? "Study " : ", ") + study.study;
  return title;
}

std::string heading(int level, const std::string& id, const std::string& text) {
  const std::string tag = "h" + std::to_string(level);
  return "<" + tag + " id=\"" + markup_escaped(id) + "\">" + markup_escaped(text) + "</" + tag +
         ">\n";
}

std::string link(const std::string& id, const std::string& text) {
  return "<a href=\"#" + markup_escaped(id) + "\">" + markup_escaped(text) + "</a>";
}

std::string script(const std::string& attributes, std::string_view text) {
  std::string html = "<script";
  if (!attributes.empty()) html += " " + attributes;
  return html.append(">").append(text).append("</script>\n");
}

// The studies' sections and the table of contents over them.
struct Body {
  std::string contents;
  std::string sections;
};

// Beyond so many studies the table of contents names the studies only.
constexpr std::size_t kFewStudies = 6;

// How far the studies are, what is best in each and what is said over all of them: the start of a
// page with several. `sizes`: train_sizes_over() them.
std::string overview(const Page& page, const std::vector<TrainSizes>& sizes) {
  const auto best = [](const Report& report) {
    return report.best ? &report.rows[*report.best] : nullptr;
  };
  const ColumnList<Report> columns = {
      {.column = {.title = "study", .align = Align::left},
       .text = [](const Report& report) { return report.study; }},
      {.column = {.title = "rows"},
       .text = [](const Report& report) { return std::to_string(report.rows.size()); }},
      {.column = {.title = "runs"},
       .text =
           [](const Report& report) {
             const std::string runs = std::to_string(report.finished);
             return report.finished == report.planned
                        ? runs
                        : runs + " of " + std::to_string(report.planned);
           }},
      {.column = {.title = "seeds"},
       .text =
           [](const Report& report) {
             std::size_t seeds = 0;
             for (const Row& row : report.rows)
               seeds = std::max(seeds, row.seeds.size());
             return std::to_string(seeds);
           }},
      {.column = {.title = "best row", .align = Align::left},
       .text =
           [&](const Report& report) {
             return best(report) != nullptr ? best(report)->label : std::string();
           }},
      {.column = {.title = "its mean", .unit = "% ± 95 %"},
       .text =
           [&](const Report& report) {
             return best(report) != nullptr ? share_text(best(report)->mean) : std::string();
           }},
      {.column = {.title = "zero-shot", .unit = "%"}, .text = [](const Report& report) {
         return report.zero_shot ? fixed(100.0 * report.rows[*report.zero_shot].mean->mean, 2)
                                 : std::string();
       }}};
  std::string html = "<section>\n" + heading(2, "overview", "Overview") +
                     table_html(text_table(columns, page.studies), "Studies");
  if (const TextTable left_out = make_left_out_table(page.studies); !left_out.rows.empty())
    html += heading(3, "left-out", kLeftOutTitle) + table_html(left_out, kLeftOutTitle) +
            legend_html(make_left_out_legend(page.studies));
  for (std::size_t i = 0; i < sizes.size(); ++i)
    html += heading(3, train_size_name(i), kTrainSizeTitle) +
            chart_html({kTrainSizeChart, kTrainSizeChart, ""},
                       train_size_words(sizes[i].one_test_set), page.studies.size() + i) +
            table_html(make_train_size_table(sizes[i]), kTrainSizeTitle) +
            legend_html(make_train_size_legend(sizes[i]));
  return html + "</section>\n";
}

void add_study(Body& body, const Report& report, const StudyPlace& place,
               const std::vector<ChartName>& charts, bool several, bool name_sections) {
  const std::vector<Section> sections = study_sections(report, place, charts);
  body.sections += "<section class=\"study\" id=\"" + place.id + "\">\n";
  if (several) {
    body.sections += heading(2, place.id + "-title", "Study " + report.study);
    body.contents += "<li>" + link(place.id, "Study " + report.study) + " <span>";
  }
  for (const Section& section : sections) {
    body.sections += "<section>\n" + heading(place.heading, section.id, section.title) +
                     section.html + "</section>\n";
    const std::string entry = link(section.id, section.title);
    if (name_sections) body.contents += several ? entry + " " : "<li>" + entry + "</li>\n";
  }
  if (several) body.contents += "</span></li>\n";
  body.sections += "</section>\n";
}

std::string footer() {
  return "<footer>\n<p>Written by petlab from its store of runs; every number is measured in the "
         "runs "
         "listed above unless it is marked as quoted. This file needs no network.</p>\n"
         "<details><summary>Charts: Apache ECharts 6.1.0, Apache License 2.0</summary>\n<pre "
         "tabindex=\"0\">Apache ECharts\nCopyright 2017-2026 The Apache Software "
         "Foundation\n\nThis "
         "product includes software developed at\nThe Apache Software Foundation "
         "(https://www.apache.org/).\n\n" +
         markup_escaped(std::string(page_files::echarts_licence)) + "</pre></details>\n</footer>\n";
}

}  // namespace

std::string html_page(const Page& page, ChartEngine& engine) {
  const bool several = page.studies.size() > 1;
  const bool name_sections = page.studies.size() <= kFewStudies;
  Body body;
  const std::vector<TrainSizes> sizes = train_sizes_over(page.studies);
  if (several) body.sections = overview(page, sizes);
  nlohmann::ordered_json data = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < page.studies.size(); ++i) {
    nlohmann::ordered_json study = chart_data(page.studies[i]);
    const StudyPlace place{"s" + std::to_string(i), several ? 3 : 2, i};
    add_study(body, page.studies[i], place, engine.charts_of(study), several, name_sections);
    data.push_back(std::move(study));
  }
  for (const TrainSizes& family : sizes)
    data.push_back(chart_data(family));
  nlohmann::ordered_json predictions = nlohmann::ordered_json::array();
  for (auto& study : prediction_data(page.studies, kPredictionBudget))
    predictions.push_back(std::move(study));

  const std::string title = title_of(page);
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>" +
      markup_escaped(title) + "</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>\n";
  html.append(page_files::style).append("</style>\n</head>\n<body>\n");
  html += "<header><h1>" + markup_escaped(title) + "</h1>\n<nav aria-label=\"Contents\"><ul" +
          (several && name_sections ? std::string(" class=\"studies\"") : std::string()) + ">\n" +
          body.contents +
          "</ul></nav>\n<noscript><p class=\"note\">The charts of this page are drawn by a script, "
          "which this browser does not run; the figure files beside the page show the same.</p>"
          "</noscript></header>\n<main>\n" +
          body.sections + "</main>\n" + footer();
  html += script("type=\"application/json\" id=\"studies\"", script_text(data));
  html += script("type=\"application/json\" id=\"predictions\"", script_text(predictions));
  html += script("id=\"echarts\"", page_files::echarts);
  html += script("", page_files::charts) + script("", page_files::page);
  return html + "</body>\n</html>\n";
}

}  // namespace petlab::reports
