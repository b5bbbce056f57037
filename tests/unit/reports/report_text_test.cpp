#include "petlab/base/error.hpp"
#include "petlab/reports/render.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <set>
#include <sstream>

namespace petlab::reports {
namespace {

namespace records = results::sample;
using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class ReportTextTest : public testing::Test {
 protected:
  records::TemporaryFolder folder_;
  results::RunStore store_ = sample::demo_store(folder_ / "demo.sqlite");
  Page page_{.title = "", .studies = {build_report(store_, "demo")}};

  std::string file(const std::string& name) const {
    std::ifstream in(folder_ / name);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

// Fields of a CSV text without quotes.
std::vector<std::vector<std::string>> fields_of(const std::string& text) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    lines.emplace_back();
    std::istringstream fields(line + ",");
    for (std::string field; std::getline(fields, field, ',');)
      lines.back().push_back(field);
  }
  return lines;
}

TEST_F(ReportTextTest, TextsAreTheFilesOfAReport) {
  write_report(page_, folder_ / "out",
               {Format::csv, Format::latex, Format::json, Format::markdown});
  EXPECT_EQ(report_text(page_, Format::csv), file("out/table.csv"));
  EXPECT_EQ(report_text(page_, Format::csv, CsvTable::runs), file("out/runs.csv"));
  EXPECT_EQ(report_text(page_, Format::csv, CsvTable::classes), file("out/classes.csv"));
  EXPECT_EQ(report_text(page_, Format::csv, CsvTable::confusions), file("out/confusions.csv"));
  EXPECT_EQ(report_text(page_, Format::latex), file("out/table.tex"));
  EXPECT_EQ(report_text(page_, Format::json), file("out/report.json"));
  const std::string markdown = report_text(page_, Format::markdown);
  EXPECT_THAT(markdown, StartsWith("# Study demo"));
  EXPECT_THAT(markdown, Not(HasSubstr("![")));
  EXPECT_THROW((void)report_text(page_, Format::html), base::Error);
  EXPECT_THROW((void)report_text(page_, Format::figures), base::Error);
}

TEST_F(ReportTextTest, JsonHasTheNamesAndValuesOfTheCsvFiles) {
  const json whole = json::parse(report_text(page_, Format::json));
  EXPECT_EQ(whole.at("format"), "petlab report");
  EXPECT_EQ(whole.at("version"), 1);
  const json& study = whole.at("studies").at(0);
  EXPECT_EQ(study.at("study"), "demo");
  EXPECT_EQ(study.at("planned"), 12);
  EXPECT_EQ(study.at("finished"), 10);
  EXPECT_EQ(study.at("tasks"), json({"line", "emoji"}));
  EXPECT_EQ(study.at("facts").at("Backbone"), "petlab-icon-clip (100,000 parameters)");
  EXPECT_EQ(study.at("failures").at(0).at("row"), "vpt-per-task");
  EXPECT_EQ(study.at("groupings").at(0).at("groups"), json({{"line"}, {"emoji"}}));
  for (const auto& [name, table] :
       {std::pair{"rows", CsvTable::rows}, std::pair{"runs", CsvTable::runs}}) {
    const auto csv = fields_of(report_text(page_, Format::csv, table));
    const json& lines = study.at(name);
    ASSERT_EQ(lines.size() + 1, csv.size()) << name;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      ASSERT_EQ(lines[i].size(), csv.front().size());
      for (std::size_t c = 0; c < csv.front().size(); ++c) {
        const json& value = lines[i].at(csv.front()[c]);
        const std::string& field = csv[i + 1][c];
        if (value.is_null()) {
          EXPECT_EQ(field, "");
        } else if (value.is_number()) {
          EXPECT_EQ(value.get<double>(), std::stod(field)) << csv.front()[c];
        } else {
          EXPECT_EQ(value.get<std::string>(), field);
        }
      }
    }
  }
  EXPECT_TRUE(study.at("rows").at(0).at("mean_accuracy").is_number());
  EXPECT_TRUE(study.at("rows").at(0).at("gain_over_zero_shot").is_null());
}

TEST_F(ReportTextTest, OnlyJsonHoldsSeveralStudies) {
  page_.studies.push_back(page_.studies.front());
  page_.studies.back().study = "other";
  EXPECT_EQ(json::parse(report_text(page_, Format::json)).at("studies").size(), 2U);
  EXPECT_THROW((void)report_text(page_, Format::csv), base::Error);
}

TEST_F(ReportTextTest, LeavesOutTimes) {
  page_.times = false;
  const json study = json::parse(report_text(page_, Format::json)).at("studies").at(0);
  EXPECT_TRUE(study.at("rows").at(0).at("train_seconds_median").is_null());
  EXPECT_TRUE(study.at("rows").at(0).at("peak_host_bytes").is_null());
}

// Row 'zero-shot' with seed 1 in 'line': 5 of 10 right, images 0 to 4 of classes 0, 1, 2, 3, 0; the
// others are taken for the class after theirs.
TEST_F(ReportTextTest, ClassesAndConfusionsAreTheCountsOfThePredictions) {
  const std::string classes = report_text(page_, Format::csv, CsvTable::classes);
  EXPECT_THAT(classes, StartsWith("study,row,method,sharing,seed,task,label,class,n_test,n_answers,"
                                  "n_correct,accuracy,f1,run\n"));
  const std::string run = page_.studies[0].rows[0].seeds[0].identity.hash;
  const std::string head = "demo,zero-shot,zero-shot,joint,1,line,";
  // Wrong: images 5 (1 -> 2), 6 (2 -> 3), 7 (3 -> 0), 8 (0 -> 1), 9 (1 -> 2).
  EXPECT_THAT(classes,
              HasSubstr(head + "0,bed,3,3,2,0.6666666666666666,0.6666666666666666," + run));
  EXPECT_THAT(classes, HasSubstr(head + "1,fork,3,2,1,0.3333333333333333,0.4," + run));
  EXPECT_THAT(classes, HasSubstr(head + "2,kettle,2,3,1,0.5,0.4," + run));
  EXPECT_THAT(classes, HasSubstr(head + "3,lamp,2,2,1,0.5,0.5," + run));
  const std::string confusions = report_text(page_, Format::csv, CsvTable::confusions);
  EXPECT_THAT(confusions,
              HasSubstr(head + "1,fork,2,kettle,2," + run + "\n" + head + "0,bed,1,fork,1," + run));
  const auto lines = fields_of(confusions);
  std::int64_t wrong = 0;
  for (const auto& line : lines) {
    if (line.back() != run) continue;
    EXPECT_NE(line[6], line[8]);
    wrong += std::stol(line[10]);
  }
  EXPECT_EQ(wrong, 5 + 7);  // of 'line' and 'emoji'
}

}  // namespace
}  // namespace petlab::reports
