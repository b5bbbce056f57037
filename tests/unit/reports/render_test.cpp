#include "petlab/reports/render.hpp"

#include "numbers.hpp"
#include "petlab/base/error.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

namespace petlab::reports {
namespace {

namespace records = results::sample;
using testing::HasSubstr;
using testing::Not;

class RenderTest : public testing::Test {
 protected:
  records::TemporaryFolder folder_;

  std::string table(const Report& report, const TableStyle& style = {}) const {
    std::ostringstream out;
    print_table(out, report, style);
    return out.str();
  }

  std::string file(const std::string& name) const {
    std::ifstream in(folder_ / name);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

TEST_F(RenderTest, SaysInOneSentenceThatAStudyHasNoResults) {
  results::RunStore store(folder_ / "runs.sqlite");
  store.set_study({"empty", "", {}});
  EXPECT_EQ(table(build_report(store, "empty")),
            "Study 'empty' plans no runs, so there is nothing to report.\n");
  const records::RunChoice run;
  store.set_study(records::study("planned", {{"coop", {run}}}));
  EXPECT_EQ(table(build_report(store, "planned")),
            "Study 'planned' has 1 planned runs and none of them is finished: run `petlab run` "
            "first.\n");
  const Report report = build_report(store, "planned");
  write_report(report, folder_ / "out", {Format::markdown, Format::csv, Format::html});
  EXPECT_THAT(file("out/report.md"), HasSubstr("none of them is finished"));
  EXPECT_THAT(file("out/report.html"), HasSubstr("none of them is finished"));
  EXPECT_THAT(file("out/runs.csv"), HasSubstr("planned,coop,coop,joint,,1,missing"));
}

TEST_F(RenderTest, SaysOnWhatASearchWasScoredAndWhatItsEdgeIs) {
  results::RunStore store(folder_ / "runs.sqlite");
  const records::RunChoice run;
  store.register_split(records::split(1));
  results::StudyRecord study = records::study("searched", {{"coop", {run}}});
  study.searches = {{.row_index = 0,
                     .strategy = "grid",
                     .trials = 7,
                     .added_trials = 1,
                     .trial_runs = 14,
                     .study = "searched/search",
                     .chosen = {{"learning-rate", "0.02"}, {"momentum", "0.5"}},
                     .edges = {{"learning-rate", "highest"}},
                     .validation_accuracy = 0.7125,
                     .scored_on = results::scored_on::kDevelopment,
                     .images = {{"line", 64}, {"emoji", 75}},
                     .standard_error = 0.019}};
  store.set_study(study);
  store.record(records::done_run(run, records::split(1)));
  write_report(build_report(store, "searched"), folder_ / "out", {Format::html});
  const std::string html = file("out/report.html");
  for (const char* text : {"chosen on development images", "7 (1 added)",
                           "learning-rate 0.02 (highest tried), momentum 0.5",
                           "139 (64 to 75 a task)", "1.90", "the best may lie beyond it"})
    EXPECT_THAT(html, HasSubstr(text));

  // An older petlab did not say.
  study.searches[0].scored_on = results::scored_on::kHeldOut;
  study.searches[0].edges.clear();
  study.searches[0].images.clear();
  study.searches[0].standard_error.reset();
  store.set_study(study);
  write_report(build_report(store, "searched"), folder_ / "old", {Format::html});
  const std::string old = file("old/report.html");
  EXPECT_THAT(old, HasSubstr("validation images held out of the training part"));
  EXPECT_THAT(old, Not(HasSubstr("may lie beyond")));
  EXPECT_THAT(old, Not(HasSubstr("implies for the mean")));
}

TEST_F(RenderTest, ShowsFailuresEvenWithoutResults) {
  results::RunStore store(folder_ / "runs.sqlite");
  const records::RunChoice run;
  store.register_split(records::split(1));
  store.set_study(records::study("planned", {{"coop", {run}}}));
  store.record(records::failed_run(run, records::split(1), "out of memory"));
  const std::string text = table(build_report(store, "planned"));
  EXPECT_THAT(text, HasSubstr("none of them is finished (1 failed)"));
  EXPECT_THAT(text, HasSubstr("coop, seed 1: out of memory (numeric)"));
}

TEST_F(RenderTest, PrintsNotesOfTheDataAndTheNamesOfClasses) {
  results::RunStore store(folder_ / "runs.sqlite");
  const records::RunChoice run;
  store.register_split(records::split(1));
  store.set_study(records::study("noted", {{"coop", {run}}}));
  results::RunRecord record = records::done_run(run, records::split(1));
  record.environment.emplace_back(results::environment::kDataNotes,
                                  "domain 'line' has one class\nsecond sentence");
  record.environment.emplace_back(results::environment::kClassNames, "names.csv: tench, goldfish");
  store.record(record);
  const Report report = build_report(store, "noted");
  EXPECT_THAT(report.notes,
              testing::IsSupersetOf({std::string("Data: domain 'line' has one class."),
                                     std::string("Data: second sentence.")}));
  write_report(report, folder_ / "out", {Format::markdown});
  EXPECT_THAT(file("out/report.md"), HasSubstr("tench, goldfish"));
}

TEST_F(RenderTest, SaysWhoseBudgetEachRowHadWhereBudgetsDiffer) {
  results::RunStore store(folder_ / "runs.sqlite");
  store.register_split(records::split(1));
  const auto add = [&](const std::string& method, const std::string& batch,
                       const std::string& budget) {
    records::RunChoice run;
    run.method = method;
    results::RunRecord record = records::done_run(run, records::split(1));
    record.protocol = {{"train.batch", batch}};
    if (!budget.empty()) record.protocol.emplace_back("train.budget", budget);
    store.record(record);
    return run;
  };
  results::StudyRecord study = records::study(
      "small", {{"coop", {add("coop", "32", "published")}}, {"mmap", {add("mmap", "4", "")}}});
  store.set_study(study);
  write_report(build_report(store, "small"), folder_ / "equal", {Format::markdown, Format::csv});
  EXPECT_THAT(file("equal/report.md"), Not(HasSubstr("budget")));
  study.protocol = "[train]\nbudget = published\n";
  store.set_study(study);
  write_report(build_report(store, "small"), folder_ / "out", {Format::markdown});
  EXPECT_THAT(file("out/report.md"),
              testing::AllOf(testing::ContainsRegex("coop .*\\| 32 +\\| published "),
                             testing::ContainsRegex("mmap .*\\| 4 +\\| equal "),
                             HasSubstr("the code of the method's publication")));
}

TEST_F(RenderTest, AReportThatDoesNotFitLeavesNothingBehindAndTheOldOneAsItWas) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  const Report report = build_report(store, "demo");
  // More than a small file's room, as on a full disk: writing ends in the middle of the report.
  const auto with_room = [&](rlim_t bytes, const std::filesystem::path& folder) {
    std::string error = "no error";
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{bytes, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    try {
      write_report(report, folder, {Format::csv, Format::markdown, Format::html});
    } catch (const base::Error& caught) {
      error = caught.what();
    }
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    return error;
  };
  EXPECT_THAT(with_room(20'000, folder_ / "new/rep"),
              testing::AllOf(HasSubstr("cannot write the file"), HasSubstr("File too large")));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "new"));
  std::filesystem::create_directories(folder_ / "old");
  std::ofstream(folder_ / "old/table.csv") << "old";
  EXPECT_THAT(with_room(20'000, folder_ / "old"), HasSubstr("File too large"));
  EXPECT_EQ(file("old/table.csv"), "old");
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry :
       std::filesystem::recursive_directory_iterator(folder_ / "old"))
    ++files;
  EXPECT_EQ(files, 1U);
}

TEST_F(RenderTest, UsesEscapeCodesOnlyWhenAsked) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  const Report report = build_report(store, "demo");
  EXPECT_THAT(table(report), Not(HasSubstr("\x1b")));
  EXPECT_THAT(table(report), HasSubstr("[1]"));
  const std::string coloured = table(report, {.ansi = true, .width = 0});
  EXPECT_THAT(coloured, HasSubstr("\x1b[1mmmap-grouped"));
  EXPECT_THAT(coloured, HasSubstr("\x1b[4mcoop-joint"));
}

TEST_F(RenderTest, FitsANarrowTerminalAndSaysWhatItLeftOut) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  const Report report = build_report(store, "demo");
  const std::string text = table(report, {.ansi = false, .width = 110});
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    EXPECT_LE(display_width(line), 110) << line;
  EXPECT_THAT(text, HasSubstr("left out to fit: method, "));
  EXPECT_THAT(table(report), Not(HasSubstr("left out")));
}

TEST_F(RenderTest, GivesOneSeedNoInterval) {
  results::RunStore store(folder_ / "runs.sqlite");
  const records::RunChoice run{.correct = {7, 5}};
  store.register_split(records::split(1));
  store.set_study(records::study("one", {{"coop", {run}}}));
  store.record(records::done_run(run, records::split(1)));
  const std::string text = table(build_report(store, "one"));
  EXPECT_THAT(text, HasSubstr("60.00 (n=1)"));
  EXPECT_THAT(text, Not(HasSubstr("60.00 ±")));
}

TEST_F(RenderTest, ShowsNoScoreForAGroupingWithoutAffinities) {
  results::RunStore store(folder_ / "runs.sqlite");
  const records::RunChoice run{.sharing = "grouped", .grouping = "random"};
  store.register_split(records::split(1));
  store.set_study(records::study("groups", {{"coop", {run}}}));
  results::RunRecord record = records::done_run(run, records::split(1));
  record.grouping->affinity.clear();
  store.record(record);
  const std::string text = table(build_report(store, "groups"));
  EXPECT_THAT(text, HasSubstr("coop, seed 1: {line} {emoji}, by random in 1.5 s\n"));
}

TEST_F(RenderTest, EscapesNamesInHtmlAndMarkdownAndCsv) {
  results::RunStore store(folder_ / "runs.sqlite");
  const records::RunChoice run{.method = "a,\"b\""};
  store.register_split(records::split(1));
  store.set_study(records::study("x<script>alert(1)</script>", {{"<b>&|'row'", {run}}}));
  store.record(records::done_run(run, records::split(1)));
  const Report report = build_report(store, "x<script>alert(1)</script>");
  write_report(report, folder_ / "out", {Format::markdown, Format::csv, Format::html});
  const std::string html = file("out/report.html");
  // Shown as text, and in the scripts' data without a '<' that could end an element.
  EXPECT_THAT(html, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(html, Not(HasSubstr("<b>&")));
  EXPECT_THAT(html, HasSubstr("\"study\":\"x\\u003cscript>alert(1)\\u003c/script>\""));
  EXPECT_THAT(html, HasSubstr("&lt;b&gt;&amp;|&#39;row&#39;"));
  EXPECT_THAT(file("out/figures/accuracy_parameters.svg"),
              HasSubstr("&lt;b&gt;&amp;|&#39;row&#39;"));
  EXPECT_THAT(file("out/report.md"), HasSubstr("\\<b\\>&\\|'row'"));
  EXPECT_THAT(file("out/table.csv"), HasSubstr(",\"a,\"\"b\"\"\","));
}

TEST_F(RenderTest, WritesAPageThatNeedsNothingElse) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  const auto written = write_report(build_report(store, "demo"), folder_ / "a/b", {Format::html});
  ASSERT_EQ(written.size(), 1U);
  const std::string html = file("a/b/report.html");
  const std::string own = html.substr(0, html.find("<script id=\"echarts\">"));
  for (const char* outside : {" src=", "@import", "url(http", "<link rel=\"stylesheet\""}) {
    EXPECT_THAT(own, Not(HasSubstr(outside)));
  }
  for (const char* chart : {"accuracy_parameters", "accuracy_seconds", "seeds", "learning_curves",
                            "class_accuracy", "confusion", "affinity"}) {
    EXPECT_THAT(html, HasSubstr(std::string("data-chart=\"") + chart + "\""));
  }
  EXPECT_THAT(html, HasSubstr("Apache License"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a/b/report.html.new"));
}

TEST_F(RenderTest, DrawsEachChartAsSvgAndAsThePdfOfTheSameSvg) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  const Report report = build_report(store, "demo");
  const auto written = write_report(report, folder_ / "out", {Format::figures});
  EXPECT_EQ(written.size(), 10U);
  const std::string svg = file("out/figures/seeds.svg");
  EXPECT_THAT(svg, testing::StartsWith("<svg width=\"900\""));
  for (const Row& row : report.rows)
    EXPECT_THAT(svg, HasSubstr(">" + row.label + "</text>"));
  const std::string pdf = file("out/figures/seeds.pdf");
  EXPECT_THAT(pdf, testing::StartsWith("%PDF-1."));
  EXPECT_GT(pdf.size(), 3000U);
  EXPECT_THAT(pdf, HasSubstr("MediaBox [ 0 0 675 "));  // 900 pixels of 1/96 inch, in points
  write_report(report, folder_ / "again", {Format::figures});
  EXPECT_EQ(pdf, file("again/figures/seeds.pdf"));
}

TEST_F(RenderTest, DrawsACriticalDifferenceDiagramWhereTheTasksSuffice) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  Report report = build_report(store, "demo");
  report.ranks.ranking =
      Ranking{.mean_ranks = {2.5, 1.0, 2.5}, .critical_difference = 1.2, .groups = {{0, 2}}};
  report.ranked_rows = {0, 1, 2};
  write_report(report, folder_ / "out", {Format::figures, Format::html});
  const std::string svg = file("out/figures/critical_difference.svg");
  EXPECT_THAT(svg, HasSubstr("coop-joint 1.00"));
  EXPECT_THAT(svg, HasSubstr("critical difference 1.20"));
  EXPECT_THAT(file("out/report.html"), HasSubstr("data-chart=\"critical_difference\""));
}

TEST_F(RenderTest, WritesOnePageAndFilesOfTheirOwnForSeveralStudies) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  Page page{.title = "Two studies", .studies = {build_report(store, "demo")}};
  page.studies.push_back(page.studies.front());
  page.studies.back().study = "a/b";
  const auto written =
      write_report(page, folder_ / "out", {Format::html, Format::markdown, Format::csv});
  std::vector<std::string> names;
  for (const auto& path : written)
    names.push_back(path.filename().string());
  EXPECT_THAT(names, testing::IsSupersetOf({"report.html", "demo.md", "a-b.md", "demo.table.csv",
                                            "a-b.table.csv", "demo.runs.csv", "a-b.runs.csv"}));
  const std::string html = file("out/report.html");
  EXPECT_THAT(html, HasSubstr("<h1>Two studies</h1>"));
  EXPECT_THAT(html, HasSubstr("Study a/b"));
  EXPECT_THAT(html, HasSubstr("<td class=\"l\">a/b</td><td>4</td><td>10 of 12</td><td>3</td>"
                              "<td class=\"l\">mmap-grouped</td><td>71.67 ± 7.17</td>"
                              "<td>43.33</td>"));
  page.studies.back().study = "demo";
  EXPECT_THROW(write_report(page, folder_ / "out", {Format::html}), base::Error);
}

TEST_F(RenderTest, WithoutTimesTwoReportsOfRunsThatTookDifferentTimesAreEqual) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  Page page{.title = "", .studies = {build_report(store, "demo")}, .times = false};
  write_report(page, folder_ / "first", {Format::html, Format::markdown, Format::csv});
  for (Row& row : page.studies.front().rows) {
    row.train_seconds = 77.0;
    for (SeedResult& seed : row.seeds)
      seed.train_seconds = 78.0;
  }
  for (FoundGrouping& found : page.studies.front().groupings)
    found.grouping.seconds = 79.0;
  for (Failure& failure : page.studies.front().failures)
    failure.attempts = 80;
  for (const auto& path :
       write_report(page, folder_ / "second", {Format::html, Format::markdown, Format::csv})) {
    const std::string name = path.lexically_relative(folder_ / "second").string();
    EXPECT_EQ(file("first/" + name), file("second/" + name)) << name;
  }
  page.times = true;
  write_report(page, folder_ / "third", {Format::html});
  EXPECT_NE(file("first/report.html"), file("third/report.html"));
}

TEST_F(RenderTest, NamesAFileThatCannotBeWritten) {
  const results::RunStore store = sample::demo_store(folder_ / "runs.sqlite");
  std::ofstream(folder_ / "taken") << "x";
  EXPECT_THROW(write_report(build_report(store, "demo"), folder_ / "taken", {Format::html}),
               base::Error);
}

}  // namespace
}  // namespace petlab::reports
