#include "petlab/base/command_output.hpp"
#include "petlab/reports/quoted.hpp"
#include "petlab/reports/render.hpp"
#include "renderers.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

namespace petlab::reports {
namespace {

namespace records = results::sample;
using testing::HasSubstr;
using testing::Not;

class LatexTest : public testing::Test {
 protected:
  /// A study whose names are made of what LaTeX reads as commands.
  Report hostile_report() {
    results::RunStore store(folder_ / "hostile.sqlite");
    const records::RunChoice run{.seed = 1, .correct = {9, 8}};
    const records::RunChoice other{
        .method = "zero-shot", .seed = 1, .trainable = 0, .correct = {5, 5}};
    store.register_split(records::split(1));
    store.set_study(
        records::study("50 %_{of} $x$", {{"a_b & #1 \\ ^~", {run}}, {"zero-shot", {other}}}));
    store.record(records::done_run(run, records::split(1)));
    store.record(records::done_run(other, records::split(1)));
    return build_report(store, "50 %_{of} $x$");
  }

  /// What pdflatex says of a document with these tables, "" where it made a PDF.
  std::string error_of(const std::string& tables) {
    std::ofstream(folder_ / "document.tex")
        << "\\documentclass{article}\n\\usepackage{booktabs}\n\\usepackage{graphicx}\n"
        << "\\begin{document}\n"
        << tables << "\\end{document}\n";
    const std::string folder = std::filesystem::path(folder_ / "").string();
    // Fonts that TeX makes on its way go into the folder, too: there may be no HOME.
    const base::CommandOutput output = base::run_command(
        {"env", "TEXMFVAR=" + folder, "pdflatex", "-halt-on-error", "-interaction=nonstopmode",
         "-output-directory=" + folder, folder + "document.tex"});
    if (output.code == 127)
      return "no pdflatex: harness/setup/system_packages.sh tests installs it";
    return output.code == 0 ? "" : output.out;
  }

  records::TemporaryFolder folder_;
};

TEST_F(LatexTest, RowsHaveACellForEachColumnWhateverTheNames) {
  const std::string text = table_latex(hostile_report());
  EXPECT_THAT(text, HasSubstr("\\usepackage{booktabs}"));
  EXPECT_THAT(text, HasSubstr("Study 50 \\%\\_\\{of\\} \\$x\\$"));
  EXPECT_THAT(text, HasSubstr("a\\_b \\& \\#1 \\textbackslash{} "
                              "\\textasciicircum{}\\textasciitilde{}"));
  EXPECT_THAT(text, HasSubstr("\\label{tab:50----of---x-}"));
  EXPECT_THAT(text, HasSubstr("\\textbf{90.0}"));
  for (const char* sign : {"±", "Δ", "–", "≈"})
    EXPECT_THAT(text, Not(HasSubstr(sign))) << "a sign that plain fonts lack";
  // Every row has as many cells as the table has columns.
  const auto layout = text.find("\\begin{tabular}{") + 16;
  const auto columns = text.find('}', layout) - layout;
  std::istringstream lines(text);
  int rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.ends_with("\\\\")) continue;
    ++rows;
    std::size_t cells = 1;
    for (std::size_t i = 1; i < line.size(); ++i)
      if (line[i] == '&' && line[i - 1] != '\\') ++cells;
    EXPECT_EQ(cells, columns) << line;
  }
  EXPECT_EQ(rows, 3);
  EXPECT_EQ(std::count(text.begin(), text.end(), '{'), std::count(text.begin(), text.end(), '}'));
}

TEST_F(LatexTest, TablesCompileWithTheirNotesAndSideTables) {
  Report report = build_report(sample::demo_store(folder_ / "demo.sqlite"), "demo");
  add_quoted(report,
             {{"demo", "coop-joint", "mean", "~53", "A & B, 100 %", "7", "Table 1", "me", 1.0}});
  EXPECT_THAT(table_latex(report), HasSubstr("Known answers"));
  EXPECT_EQ(error_of(table_latex(report)), "");
}

TEST_F(LatexTest, TablesCompileWhateverTheNames) {
  EXPECT_EQ(error_of(table_latex(hostile_report())), "");
  Report report = hostile_report();
  report.tasks.at(0) = "Bücher – “alt” ß ł";
  EXPECT_EQ(error_of(table_latex(report)), "");
  EXPECT_THAT(table_latex(report), Not(HasSubstr("XeLaTeX")));
}

TEST_F(LatexTest, NamesThatNeedAnotherEngineAreSaid) {
  for (const char* name : {"图标", "Ωmega", "🙂", "рисунок"}) {
    Report report = hostile_report();
    report.tasks.at(0) = name;
    EXPECT_THAT(table_latex(report), HasSubstr("% Names have characters that pdfLaTeX lacks: "
                                               "expects XeLaTeX or LuaLaTeX and a font"));
  }
}

}  // namespace
}  // namespace petlab::reports
