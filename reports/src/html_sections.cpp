#include "html_sections.hpp"

#include "background_tables.hpp"
#include "chart_rows.hpp"
#include "cross_domain.hpp"
#include "html_images.hpp"
#include "html_summary.hpp"
#include "known_answers.hpp"
#include "machine_paths.hpp"
#include "markup.hpp"
#include "numbers.hpp"
#include "petlab/results/study_name.hpp"
#include "row_table.hpp"
#include "run_table.hpp"
#include "test_table.hpp"
#include "train_size_table.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

// Lists that grow with the runs stop here: a browser would take seconds to lay out the rest.
// runs.csv and the store have everything.
constexpr std::size_t kMaxLines = 2000;

std::string how_many(std::size_t shown, std::size_t all) {
  return shown == all ? "All " + std::to_string(all)
                      : "The first " + std::to_string(shown) + " of " + std::to_string(all);
}

std::string element(const char* tag, const std::string& style, const std::string& text) {
  std::string html = std::string("<").append(tag);
  if (!style.empty()) html += " class=\"" + style + "\"";
  return html + ">" + markup_escaped(text) + "</" + tag + ">";
}

std::string list_html(const char* tag, const std::string& style,
                      const std::vector<std::string>& items) {
  std::string html;
  for (const std::string& item : items)
    html += element(tag, style, item) + "\n";
  return html;
}

std::string details_html(const std::string& summary, const std::string& html) {
  return "<details><summary>" + markup_escaped(summary) + "</summary>\n" + html + "</details>\n";
}

// Columns of this importance and above stand aside on a phone, so that the accuracies are seen.
constexpr int kAside = 2;

std::string style_of(const Column& column, Place place) {
  std::string style;
  const auto add = [&](bool is, const char* name) {
    if (is) style += (style.empty() ? "" : " ") + std::string(name);
  };
  add(column.align == Align::left, "l");
  add(column.importance >= kAside, "aside");
  add(place == Place::best, "best");
  add(place == Place::second, "second");
  return style;
}

std::string figure_html(const ChartName& chart, const Report& report, const StudyPlace& place,
                        bool first) {
  ChartWords words = words_of(chart, report);
  if (!first) words.text.clear();  // said above the first chart of the kind
  std::string choose;
  if (chart.kind == "seeds" && report.tasks.size() > 1) {
    choose =
        "<p class=\"choose\"><label>Accuracy <select data-choose=\"task\"><option value=\"-1\">"
        "mean over domains</option>";
    for (std::size_t i = 0; i < report.tasks.size(); ++i) {
      choose += "<option value=\"" + std::to_string(i) + "\">" + markup_escaped(report.tasks[i]) +
                "</option>";
    }
    choose += "</select></label></p>\n";
  }
  return chart_html(chart, words, place.index, choose);
}

std::string figures_html(const Report& report, const StudyPlace& place,
                         const std::vector<ChartName>& charts,
                         const std::vector<std::string>& kinds) {
  std::string html;
  std::string before;
  for (const ChartName& chart : charts) {
    if (std::find(kinds.begin(), kinds.end(), chart.kind) == kinds.end()) continue;
    html += figure_html(chart, report, place, chart.kind != before);
    before = chart.kind;
  }
  return html;
}

std::string accuracy_html(const Report& report) {
  return "<div class=\"tools screen\"></div>\n" +
         table_html(make_table(report), "Accuracy and cost of study " + report.study) +
         legend_html(make_legend(report),
                     "<p><span class=\"best\">Best</span> and <span class=\"second\">second "
                     "best</span> of each domain and of the means, among rows without gaps. <span "
                     "class=\"screen\">A heading "
                     "sorts the table by its column.</span></p>\n");
}

std::string sizes_html(const Report& report, const StudyPlace& place,
                       const std::vector<ChartName>& charts) {
  const TextTable sizes = make_train_size_table(report);
  if (sizes.rows.empty()) return {};
  return figures_html(report, place, charts, {kTrainSizeChart}) +
         table_html(sizes, std::string(kTrainSizeTitle) + " of study " + report.study) +
         legend_html(make_train_size_legend(report));
}

std::string cross_domain_html(const Report& report) {
  const TextTable table = make_cross_domain_table(report);
  if (table.rows.empty()) return {};
  return table_html(table, "Cross-domain accuracy of study " + report.study) +
         legend_html(make_cross_domain_legend(report));
}

std::string known_answers_html(const Report& report) {
  const TextTable table = make_known_answers_table(report);
  if (table.rows.empty()) return {};
  return table_html(table, "Known answers of study " + report.study) +
         legend_html(make_known_answers_legend(report));
}

std::string tests_html(const Report& report, const StudyPlace& place,
                       const std::vector<ChartName>& charts) {
  std::string html;
  if (const TextTable tests = make_test_table(report); !tests.rows.empty()) {
    html += table_html(tests, "Differences and tests of study " + report.study) +
            legend_html(make_test_legend(report));
  }
  if (report.ranks.ranking) {
    html += figures_html(report, place, charts, {"critical_difference"});
    if (!chart_rows(report).ranks) {
      html += element("p", "",
                      "The diagram of mean ranks is left out: " +
                          std::to_string(report.ranked_rows.size()) + " rows do not fit on it.") +
              "\n";
    }
  }
  const bool noted = std::find(report.notes.begin(), report.notes.end(), report.ranks.statement) !=
                     report.notes.end();
  if (!report.ranks.statement.empty() && !noted) {
    html += element("p", "", report.ranks.statement) + "\n";
  }
  return html;
}

std::string runs_chooser_html(const Report& report, const StudyPlace& place) {
  const std::string study = std::to_string(place.index);
  return "<div class=\"detail\" data-study=\"" + study +
         "\">\n<p class=\"choose\"><label>Run <select data-choose=\"run\"></select></label> "
         "<label>Domain <select data-choose=\"domain\"></select></label></p>\n"
         "<p class=\"legend\" data-say=\"run\" aria-live=\"polite\"></p>\n"
         "<figure data-chart=\"class_accuracy\" data-study=\"" +
         study +
         "\" data-run><figcaption><strong>Accuracy of each class</strong> From worst to best, with "
         "the number of test images answered correctly.</figcaption>\n"
         "<div class=\"chart\" role=\"img\" aria-label=\"Accuracy of each class\"></div></figure>\n"
         "<figure data-chart=\"confusion\" data-study=\"" +
         study +
         "\" data-run><figcaption><strong>Confusion</strong> Row: true class, column: answer. "
         "Blue: "
         "right answers, orange: wrong ones; the stronger the colour, the larger the share of the "
         "class's images.</figcaption>\n"
         "<div class=\"chart\" role=\"img\" aria-label=\"Confusion matrix\"></div></figure>\n"
         "<h" +
         std::to_string(place.heading + 1) + ">Most frequent confusions</h" +
         std::to_string(place.heading + 1) +
         ">\n<div class=\"wide\" data-fill=\"confusions\" role=\"region\" tabindex=\"0\" "
         "aria-label=\"Most frequent confusions of study " +
         markup_escaped(report.study) + "\"></div>\n</div>\n";
}

std::string groupings_html(const Report& report, const StudyPlace& place,
                           const std::vector<ChartName>& charts) {
  std::vector<std::string> texts;
  for (const FoundGrouping& found : report.groupings) {
    if (texts.size() == kMaxLines) break;
    texts.push_back(grouping_text(found, report.times));
  }
  std::string html = figures_html(report, place, charts, {"affinity"});
  const std::string list = "<ul>\n" + list_html("li", "", texts) + "</ul>\n";
  constexpr std::size_t kShort = 8;
  return html + (texts.size() <= kShort
                     ? list
                     : details_html(how_many(texts.size(), report.groupings.size()) +
                                        " groupings in words, with scores and runners-up",
                                    list));
}

std::string gaps_html(const Report& report) {
  std::vector<std::string> failures;
  for (const Failure& failure : report.failures)
    failures.push_back(without_machine_paths(failure_text(failure)));
  std::vector<std::string> missing;
  for (const Row& row : report.rows) {
    if (row.missing_seeds.empty()) continue;
    std::string seeds;
    for (const std::uint64_t seed : row.missing_seeds)
      seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
    missing.push_back(row.label + ": seed " + seeds);
  }
  std::string html;
  if (!failures.empty()) {
    html += element("p", "", "Failed:") + "\n<ul>\n" + list_html("li", "", failures) + "</ul>\n";
  }
  if (!missing.empty()) {
    html += element("p", "", "Planned, not run yet:") + "\n<ul>\n" + list_html("li", "", missing) +
            "</ul>\n";
  }
  return html.empty() ? element("p", "",
                                "Nothing: all " + std::to_string(report.planned) +
                                    " planned runs are finished.") +
                            "\n"
                      : html;
}

// How the settings were chosen, and what the columns of the table mean.
std::string search_text(const Report& report) {
  const auto& searches = report.searches;
  const auto has = [&](const auto& is_it) {
    return std::any_of(searches.begin(), searches.end(), is_it);
  };
  using results::SearchRecord;
  std::string text = "These settings were chosen on ";
  text += has([](const SearchRecord& s) { return s.scored_on == results::scored_on::kDevelopment; })
              ? "development images, which neither train nor test in any run of the study"
              : "validation images held out of the training part";
  text += has([&](const SearchRecord& s) { return s.trials != searches.front().trials; })
              ? ", with as many trials for a row as the table says; "
              : ", with the same number of trials for every row; ";
  text += "the rows were then trained on all of their training images.";
  if (has([](const SearchRecord& s) { return s.standard_error.has_value(); }))
    text +=
        " The standard error is what the number of images implies for the mean accuracy over "
        "tasks.";
  if (has([](const SearchRecord& s) { return results::rung_of(s.study) > 0; }))
    text +=
        " Successive halving trains all candidates of a row for a short time and the best of them "
        "for longer, each rung in a study of its own; the validation accuracy is of the last rung, "
        "whose training may be shorter than the rows'.";
  if (has([](const SearchRecord& s) { return !s.edges.empty(); }))
    text += " Where a value is the lowest or highest that was tried, the best may lie beyond it.";
  return text;
}

std::string protocol_html(const Report& report) {
  std::string html;
  if (const TextTable chosen = make_search_table(report); !chosen.rows.empty()) {
    html += element("p", "", search_text(report)) + "\n" +
            table_html(chosen, "Chosen settings of study " + report.study);
  }
  if (!report.protocol.empty()) {
    html += details_html("The resolved protocol with all rows, as it decided the runs",
                         "<pre tabindex=\"0\">" +
                             markup_escaped(without_machine_paths(report.protocol)) + "</pre>\n");
  }
  return html;
}

std::string environment_html(const Report& report) {
  const TextTable runs = make_run_table(report, kMaxLines);
  return table_html(make_environment_table(report), "Environment of study " + report.study) +
         details_html(how_many(runs.rows.size(), static_cast<std::size_t>(report.finished)) +
                          " finished runs: identity, cost, determinism",
                      table_html(runs, "Runs of study " + report.study) +
                          legend_html(make_run_legend(report)));
}

}  // namespace

std::string legend_html(const std::vector<std::string>& lines, const std::string& first) {
  return "<div class=\"legend\">" + first + list_html("p", "", lines) + "</div>\n";
}

std::string table_html(const TextTable& table, const std::string& label) {
  std::string html = "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"" +
                     markup_escaped(label) + "\"><table>\n<thead><tr>";
  for (const Column& column : table.columns) {
    const std::string style = style_of(column, Place::none);
    html += style.empty() ? "<th scope=\"col\">" : "<th scope=\"col\" class=\"" + style + "\">";
    html += "<button type=\"button\">" + markup_escaped(column.heading()) + "</button></th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    html += "<tr>";
    for (std::size_t c = 0; c < table.columns.size(); ++c) {
      html += element("td", style_of(table.columns[c], place_of(table, r, c)), table.rows[r][c]);
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string chart_html(const ChartName& chart, const ChartWords& words, std::size_t data,
                       const std::string& choose) {
  std::string html = "<figure data-chart=\"" + markup_escaped(chart.kind) + "\" data-study=\"" +
                     std::to_string(data) + "\"";
  if (!chart.row.empty()) html += " data-row=\"" + markup_escaped(chart.row) + "\"";
  return html + ">\n<figcaption><strong>" + markup_escaped(words.title) + "</strong> " +
         markup_escaped(words.text) + "</figcaption>\n" + choose +
         "<div class=\"chart\" role=\"img\" aria-label=\"" + markup_escaped(words.title) +
         "\"></div>\n</figure>\n";
}

std::vector<Section> study_sections(const Report& report, const StudyPlace& place,
                                    const std::vector<ChartName>& charts) {
  std::vector<Section> sections;
  const auto add = [&](const char* id, const char* title, std::string html) {
    if (!html.empty()) sections.push_back({place.id + "-" + id, title, std::move(html)});
  };
  if (const std::string nothing = nothing_to_show(report); !nothing.empty()) {
    add("summary", "Summary", element("p", "", nothing) + "\n");
    if (report.planned > 0) add("gaps", "What is missing", gaps_html(report));
    add("protocol", "Protocol", protocol_html(report));
    return sections;
  }
  add("summary", "Verdict", verdict_html(report));
  add("parameters", "Accuracy against parameters",
      figures_html(report, place, charts, {"accuracy_parameters"}));
  add("accuracy", "Accuracy and cost", accuracy_html(report));
  add("sizes", kTrainSizeTitle, sizes_html(report, place, charts));
  add("cross-domain", "Cross-domain accuracy", cross_domain_html(report));
  add("known-answers", "Known answers", known_answers_html(report));
  add("notes", "Notes and facts", notes_html(report));
  add("cost", "Seconds and seeds",
      figures_html(report, place, charts, {"accuracy_seconds", "seeds"}));
  add("tests", "Differences and tests", tests_html(report, place, charts));
  add("curves", "Training", figures_html(report, place, charts, {"learning_curves"}));
  add("run", "One run in detail", runs_chooser_html(report, place));
  add("images", "Images that rows disagree on", images_html(report));
  if (!report.groupings.empty())
    add("groups", "Groupings found", groupings_html(report, place, charts));
  add("gaps", "What is missing", gaps_html(report));
  add("protocol", "Protocol", protocol_html(report));
  add("environment", "Environment and runs", environment_html(report));
  return sections;
}

}  // namespace petlab::reports
