#include "numbers.hpp"
#include "renderers.hpp"
#include "scatter_plot.hpp"
#include "table_model.hpp"

#include <algorithm>
#include <cmath>

namespace petlab::reports {
namespace {

constexpr const char* kStyle = R"css(
:root{color-scheme:light dark;--ink:#1f2328;--soft:#57606a;--line:#d8dee4;--ground:#fff;--band:#f6f8fa;--heat:53,119,201}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--line:#30363d;--ground:#0d1117;--band:#161b22}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif;color:var(--ink);background:var(--ground);max-width:1480px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:26px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 10px}h3{font-size:15px;margin:20px 0 6px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:12px 0;font-size:14px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.wide{overflow-x:auto;border:1px solid var(--line);border-radius:6px}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th,td{padding:4px 8px;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}
th{background:var(--band);font-weight:600;vertical-align:bottom}thead th{white-space:normal}tr:last-child td{border-bottom:0}
.l{text-align:left}.wide td:first-child{position:sticky;left:0;background:var(--ground)}.best{font-weight:700}.second{text-decoration:underline;text-underline-offset:3px}
.legend{color:var(--soft);font-size:13px;margin:8px 0}.legend p{margin:2px 0}
figure{margin:0;max-width:1180px;overflow-x:auto}figure svg{min-width:680px}svg{width:100%;height:auto;display:block}
.matrix{display:inline-block;vertical-align:top;margin:0 24px 8px 0}.matrix table{width:auto;font-size:13px}
.note{border-left:3px solid #d1731c;padding:2px 12px;margin:6px 0}
@media print{body{max-width:none;padding:0}.wide{overflow:visible}table{font-size:10px}th,td{padding:3px 5px}h2{break-after:avoid}tr{break-inside:avoid}}
)css";

std::string cell(const char* tag, const std::string& style, const std::string& text) {
  std::string html = std::string("<").append(tag);
  if (!style.empty()) html += " class=\"" + style + "\"";
  return html + ">" + markup_escaped(text) + "</" + tag + ">";
}

std::string style_of(const Column& column, Place place) {
  std::string style = column.align == Align::left ? "l" : "";
  if (!column.marked || place == Place::none) return style;
  if (!style.empty()) style += ' ';
  return style + (place == Place::best ? "best" : "second");
}

std::string table_html(const TextTable& table) {
  std::string html = "<div class=\"wide\"><table>\n<thead><tr>";
  for (const Column& column : table.columns) {
    html += cell("th", style_of(column, Place::none), column.title);
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    html += "<tr>";
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      html += cell("td", style_of(table.columns[c], table.places[r]), table.rows[r][c]);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string list_html(const char* tag, const std::string& style,
                      const std::vector<std::string>& items) {
  std::string html;
  for (const std::string& item : items)
    html += cell(tag, style, item) + "\n";
  return html;
}

// Shaded by the size of a value among the matrix's values off the diagonal.
std::string affinity_html(const results::GroupingRecord& grouping) {
  const std::size_t n = grouping.tasks.size();
  double largest = 0.0;
  for (std::size_t i = 0; i < n * n; ++i) {
    const double value = grouping.affinity[i];
    if (i / n != i % n && std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  std::string html = "<table><tr><th></th>";
  for (const std::string& task : grouping.tasks)
    html += cell("th", "", task);
  html += "</tr>\n";
  for (std::size_t i = 0; i < n; ++i) {
    html += "<tr>" + cell("th", "l", grouping.tasks[i]);
    for (std::size_t j = 0; j < n; ++j) {
      const double value = grouping.affinity[i * n + j];
      const bool shaded = i != j && largest > 0.0 && value > 0.0;
      constexpr double kDarkest = 0.45;
      html += "<td";
      if (shaded) {
        html +=
            " style=\"background:rgba(var(--heat)," + fixed(kDarkest * value / largest, 2) + ")\"";
      }
      html += ">" + markup_escaped(fixed(value, 3)) + "</td>";
    }
    html += "</tr>\n";
  }
  return html + "</table>\n";
}

std::string groupings_html(const Report& report) {
  if (report.groupings.empty()) return {};
  std::string html = "<h2>Groupings found</h2>\n";
  std::string label;
  for (const FoundGrouping& found : report.groupings) {
    if (found.label != label) {
      label = found.label;
      html += cell("h3", "", label) + "\n";
    }
    html += "<div class=\"matrix\">" + cell("p", "legend", grouping_text(found, report.times));
    if (!found.grouping.affinity.empty()) html += affinity_html(found.grouping);
    html += "</div>\n";
  }
  return html;
}

std::string failures_html(const Report& report) {
  if (report.failures.empty()) return {};
  std::vector<std::string> texts;
  for (const Failure& failure : report.failures)
    texts.push_back(failure_text(failure));
  return "<h2>Failed runs</h2>\n<ul>\n" + list_html("li", "", texts) + "</ul>\n";
}

std::string body_html(const Report& report) {
  const std::string nothing = nothing_to_show(report);
  if (!nothing.empty()) return cell("p", "", nothing) + "\n" + failures_html(report);
  std::string html = "<dl>\n";
  for (const auto& [name, text] : report.facts) {
    html += cell("dt", "", name) + cell("dd", "", text) + "\n";
  }
  html += "</dl>\n" + list_html("p", "note", report.notes);
  html += "<h2>Accuracy and cost</h2>\n" + table_html(make_table(report));
  html +=
      "<div class=\"legend\"><p><span class=\"best\">Best</span> and "
      "<span class=\"second\">second best</span> mean among rows without gaps.</p>\n" +
      list_html("p", "", make_legend(report)) + "</div>\n";
  html += "<h2>Accuracy against trainable parameters</h2>\n<figure>\n" + scatter_plot(report) +
          "</figure>\n";
  return html + groupings_html(report) + failures_html(report);
}

}  // namespace

std::string html_page(const Page& page) {
  std::string title = page.title;
  for (const Report& study : page.studies) {
    if (page.title.empty()) title += (title.empty() ? "Study " : ", ") + study.study;
  }
  const std::string heading = markup_escaped(title);
  std::string html =
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>" +
      heading + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<h1>" + heading +
      "</h1>\n";
  for (const Report& study : page.studies) {
    if (page.studies.size() > 1) html += cell("h2", "", "Study " + study.study) + "\n";
    html += body_html(study);
  }
  return html + "</body>\n</html>\n";
}

}  // namespace petlab::reports
