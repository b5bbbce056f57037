#include "html_images.hpp"

#include "markup.hpp"
#include "numbers.hpp"
#include "paired_answers.hpp"
#include "petlab/base/base64.hpp"

namespace petlab::reports {
namespace {

// "mmap-joint: bed 2×, chair", the right one in bold.
std::string answers_html(const std::string& label, const std::vector<GivenAnswer>& counts,
                         const std::string& truth) {
  std::string html = "<div>" + markup_escaped(label) + ": ";
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::string text = markup_escaped(counts[i].answer);
    html += (i == 0 ? "" : ", ") +
            (counts[i].answer == truth ? "<span class=\"best\">" + text + "</span>" : text);
    if (counts[i].runs > 1) html += " " + std::to_string(counts[i].runs) + "×";
  }
  return html + "</div>";
}

std::string image_html(const ShownImage& image, const std::string& best, const std::string& row) {
  return "<li><img alt=\"" + markup_escaped(image.picture) + "\" title=\"" +
         markup_escaped(image.picture) + "\" src=\"data:image/png;base64," +
         base::base64(image.png) + "\"><div><strong>" + markup_escaped(image.truth) +
         "</strong> (" + markup_escaped(image.task) + ")" +
         answers_html(best, given_answers(image, &AnswerPair::a, &AnswerPair::a_probability),
                      image.truth) +
         answers_html(row, given_answers(image, &AnswerPair::b, &AnswerPair::b_probability),
                      image.truth) +
         "</div></li>\n";
}

std::string summary_text(const RowImages& shown, const std::string& row) {
  if (shown.tested == 0)
    return row + ": the page has no answers of it and of the best row to the same images";
  return row + ": " + grouped_digits(shown.different) + " of " + grouped_digits(shown.tested) +
         " images answered differently; over all seeds the best row alone is right " +
         grouped_digits(shown.only_best) + " times, this row alone " +
         grouped_digits(shown.only_row) + " times";
}

}  // namespace

std::string images_html(const Report& report) {
  if (!report.shown_images) return {};
  if (!report.best)
    return "<p>There is no best row to compare with: rows have runs that are not finished, or all "
           "means are equal.</p>\n";
  const std::string& best = report.rows[*report.best].label;
  std::string html =
      "<p>Each row beside the best one, '" + markup_escaped(best) +
      "', over the seeds that both have: first the images that one of them gets right with more "
      "seeds than the other, as <code>petlab compare</code> lists them. A thumbnail stands "
      "beside the true class, the domain and the answers, with the number of seeds that gave "
      "each; right ones are <span class=\"best\">bold</span>.</p>\n"
      "<p class=\"note caution\">The thumbnails are images of the data set, under its licence: see "
      "what it asks for before you pass this page on.</p>\n";
  for (const RowImages& shown : *report.shown_images) {
    const std::string& row = report.rows[shown.row].label;
    html += "<details><summary>" + markup_escaped(summary_text(shown, row)) + "</summary>\n";
    if (!shown.images.empty()) {
      html += "<ul class=\"images\">\n";
      for (const ShownImage& image : shown.images)
        html += image_html(image, best, row);
      html += "</ul>\n";
    }
    html += "</details>\n";
  }
  return html;
}

}  // namespace petlab::reports
