#include "machine_paths.hpp"
#include "renderers.hpp"
#include "row_table.hpp"
#include "side_tables.hpp"
#include "table_model.hpp"

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace petlab::reports {
namespace {

// What LaTeX reads as commands, and the signs of the table model that a plain font lacks.
constexpr std::array<std::pair<std::string_view, std::string_view>, 21> kEscapes{{
    {"\\", "\\textbackslash{}"},
    {"{", "\\{"},
    {"}", "\\}"},
    {"$", "\\$"},
    {"&", "\\&"},
    {"#", "\\#"},
    {"_", "\\_"},
    {"%", "\\%"},
    {"^", "\\textasciicircum{}"},
    {"~", "\\textasciitilde{}"},
    {"<", "$<$"},
    {">", "$>$"},
    {"\n", " "},
    {"±", "$\\pm$"},
    {"Δ", "$\\Delta$"},
    {"≈", "$\\approx$"},
    {"–", "--"},
    {"×", "$\\times$"},
    {"−", "$-$"},
    {"≥", "$\\geq$"},
    {"…", "\\ldots{}"},
}};

std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    std::string_view plain = text.substr(0, 1);
    std::string_view written = plain;
    for (const auto& [sign, command] : kEscapes) {
      if (!text.starts_with(sign)) continue;
      plain = sign;
      written = command;
      break;
    }
    result += written;
    text.remove_prefix(plain.size());
  }
  return result;
}

// A number's sign is a minus sign, not a hyphen: "-0.60 ± 1.52" is $-$0.60 $\\pm$ 1.52.
std::string escaped_number(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool sign = text[i] == '-' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '(') &&
                      i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    result += sign ? "−" : std::string(1, text[i]);
  }
  return escaped(result);
}

std::string typeset_place(const std::string& text, Place place) {
  if (place == Place::best) return "\\textbf{" + text + "}";
  if (place == Place::second) return "\\underline{" + text + "}";
  return text;
}

// The columns that a printed page has room for.
std::vector<std::size_t> printed_columns(const TextTable& table) {
  std::vector<std::size_t> printed;
  for (std::size_t c = 0; c < table.columns.size(); ++c)
    if (table.columns[c].importance <= 1) printed.push_back(c);
  return printed;
}

std::string line(const std::vector<std::string>& cells) {
  std::string text;
  for (const std::string& cell : cells)
    text += (text.empty() ? "  " : " & ") + cell;
  return text + " \\\\\n";
}

std::string tabular(const TextTable& table) {
  const std::vector<std::size_t> printed = printed_columns(table);
  std::string layout;
  std::vector<std::string> titles;
  for (const std::size_t c : printed) {
    layout += table.columns[c].align == Align::left ? 'l' : 'r';
    titles.push_back(escaped(table.columns[c].heading()));
  }
  std::string text =
      "\\begin{tabular}{" + layout + "}\n  \\toprule\n" + line(titles) + "  \\midrule\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    std::vector<std::string> cells;
    for (const std::size_t c : printed) {
      const std::string& cell = table.rows[r][c];
      const bool is_number = table.columns[c].align == Align::right;
      cells.push_back(
          typeset_place(is_number ? escaped_number(cell) : escaped(cell), place_of(table, r, c)));
    }
    text += line(cells);
  }
  return text + "  \\bottomrule\n\\end{tabular}\n";
}

// A label may hold neither braces nor commands.
std::string label_of(const std::string& study) {
  std::string label = "tab:";
  for (const char c : study) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    label += plain ? c : '-';
  }
  return label;
}

// True if a text has characters beyond Latin letters and punctuation: pdfLaTeX's fonts lack them.
bool needs_other_engine(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_punctuation = text.substr(i, 2) == "\xe2\x80";
    if (byte >= 0xc9 && !is_punctuation) return true;  // U+0240 and above
  }
  return false;
}

constexpr const char* kPackages = "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.\n";
constexpr const char* kEngine =
    "% Names have characters that pdfLaTeX lacks: expects XeLaTeX or LuaLaTeX and a font that has "
    "them.\n";

std::string tables_latex(const Report& report) {
  std::string text;
  if (const std::string nothing = nothing_to_show(report); !nothing.empty())
    return "% " + escaped(nothing) + "\n";
  text += "\\begin{table}\n\\centering\n\\caption{Study " + escaped(report.study) +
          ". Accuracies in \\%; the mean with its 95\\,\\% t interval over seeds. "
          "\\textbf{Best} and \\underline{second best} of each domain and of the means, among rows "
          "without gaps.}\n\\label{" +
          label_of(report.study) + "}\n\\resizebox{\\textwidth}{!}{%\n" +
          tabular(make_table(report)) + "}\n\\end{table}\n";
  // Not in the float: what does not fit on a page with the table would push it to the document's
  // end.
  text += "\n{\\footnotesize\\raggedright\\noindent\n";
  for (const std::string& sentence : make_legend(report))
    text += escaped(sentence) + "\n";
  for (const Note& note : report.notes)
    text += escaped(without_machine_paths(note)) + "\n";
  text += "\\par}\n";
  for (const SideTable& side : side_tables(report)) {
    text += "\n\\begin{table}\n\\centering\n\\caption{" + side.title + ", study " +
            escaped(report.study) + ".}\n\\label{" + label_of(report.study) + "-" + side.id +
            "}\n\\resizebox{\\textwidth}{!}{%\n" + tabular(side.table) + "}\n\\end{table}\n" +
            "\n{\\footnotesize\\raggedright\\noindent\n";
    for (const std::string& sentence : side.legend)
      text += escaped(sentence) + "\n";
    text += "\\par}\n";
  }
  return text;
}

}  // namespace

std::string table_latex(const Report& report) {
  const std::string tables = tables_latex(report);
  return kPackages + std::string(needs_other_engine(tables) ? kEngine : "") + tables;
}

}  // namespace petlab::reports
