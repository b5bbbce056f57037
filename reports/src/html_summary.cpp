#include "html_summary.hpp"

#include "machine_paths.hpp"
#include "markup.hpp"
#include "verdict.hpp"

namespace petlab::reports {
namespace {

struct GradeWords {
  NoteGrade grade;
  const char* style;   // of the page
  const char* before;  // in front of the note, as colours alone say nothing to some
  const char* one;     // in the line of the folded notes
  const char* many;
};

constexpr GradeWords kGrades[] = {
    {NoteGrade::fault, "fault", "Fault", "fault", "faults"},
    {NoteGrade::caution, "caution", "Caution", "caution", "cautions"},
    {NoteGrade::information, "information", "Information", "information", "information"},
};

std::string paragraph(const std::string& style, const std::string& text) {
  return "<p class=\"" + style + "\">" + markup_escaped(text) + "</p>\n";
}

std::string notes_of(const Report& report, const GradeWords& words) {
  std::string html;
  for (const Note& note : report.notes) {
    if (note.grade != words.grade) continue;
    html += std::string("<p class=\"note ") + words.style + "\"><strong>" + words.before +
            ":</strong> " + markup_escaped(without_machine_paths(note)) + "</p>\n";
  }
  return html;
}

// "Notes: 2 cautions, 3 information".
std::string notes_title(const Report& report) {
  std::string text;
  for (const GradeWords& words : kGrades) {
    if (words.grade == NoteGrade::fault) continue;
    int count = 0;
    for (const Note& note : report.notes)
      count += note.grade == words.grade ? 1 : 0;
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " +
            (count == 1 ? words.one : words.many);
  }
  return "Notes: " + text;
}

}  // namespace

std::string verdict_html(const Report& report) {
  std::string html;
  if (const std::string words = study_description(report); !words.empty())
    html += paragraph("description", without_machine_paths(words));
  html += paragraph("verdict", study_verdict(report));
  return html + notes_of(report, kGrades[0]);
}

std::string notes_html(const Report& report) {
  std::string notes;
  for (const GradeWords& words : kGrades)
    if (words.grade != NoteGrade::fault) notes += notes_of(report, words);
  std::string html;
  if (!notes.empty())
    html += "<details class=\"printed\"><summary>" + notes_title(report) + "</summary>\n" + notes +
            "</details>\n";
  html +=
      "<details class=\"printed\"><summary>Facts: data, split, backbone, "
      "environment</summary>\n<dl>\n";
  for (const auto& [name, text] : report.facts) {
    if (name == "Protocol") continue;  // stands in full in a section of its own
    html += "<dt>" + markup_escaped(name) + "</dt><dd>" +
            markup_escaped(without_machine_paths(text)) + "</dd>\n";
  }
  return html + "</dl>\n</details>\n";
}

}  // namespace petlab::reports
