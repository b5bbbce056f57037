#include "petlab/results/export.hpp"

#include "old_store.hpp"
#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "postgres_server.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace petlab::results {
namespace {

using sample::RunChoice;
using sample::text_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Fields of a CSV text by the grammar of RFC 4180; a quoted field keeps a mark in front.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> lines;
  std::size_t at = 0;
  while (at < text.size()) {
    lines.emplace_back();
    while (true) {
      std::string field;
      if (text.at(at) == '"') {
        field = "Q:";
        for (++at; text.at(at) != '"' || (++at < text.size() && text[at] == '"'); ++at)
          field += text[at];
      } else {
        while (text.at(at) != ',' && text.at(at) != '\r')
          field += text[at++];
      }
      lines.back().push_back(field);
      if (text.at(at++) == ',') continue;
      EXPECT_EQ(text.at(at++), '\n');
      break;
    }
  }
  return lines;
}

class ExportTest : public testing::TestWithParam<sample::StoreKind> {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path path_ = sample::new_store(GetParam(), folder_);
  std::filesystem::path out_ = folder_ / "new/out";

  void SetUp() override {
    const RunChoice one{.seed = 1, .correct = {7, 1}};
    const RunChoice two{.seed = 2};
    RunStore store(path_);
    store.register_split(sample::split(1));
    store.register_split(sample::split(2));
    store.set_study(sample::study("other", {{"plain", {one}}}));
    store.set_study(sample::study("demo", {{"a \"row\", with\nall", {one, two}}}));
    store.record(sample::done_run(one, sample::split(1)));
    store.record(sample::failed_run(two, sample::split(2), "out of memory, after 3 steps"));
  }
};

TEST_P(ExportTest, WritesEveryViewAsItsOwnFile) {
  std::vector<std::string> names;
  for (const auto& file : export_views(path_, out_)) {
    EXPECT_EQ(file.parent_path(), out_);
    EXPECT_TRUE(std::filesystem::is_regular_file(file));
    names.push_back(file.filename().string());
  }
  EXPECT_THAT(names, ElementsAre("accuracy.csv", "cost.csv", "evaluations.csv", "failures.csv",
                                 "groups.csv", "parameters.csv", "ranking.csv", "searches.csv"));
  const auto all = std::distance(std::filesystem::directory_iterator(out_), {});
  EXPECT_EQ(all, 8) << "nothing else is left behind";
}

TEST_P(ExportTest, QuotesAsRfc4180AndKeepsNumbersExact) {
  sample::change_store(path_,
                       "UPDATE task_results SET loss = 0.30000000000000004 WHERE task_id = 1");
  export_views(path_, out_, "demo");
  const auto accuracy = parse_csv(text_of(out_ / "accuracy.csv"));
  const std::string run = sample::identity_of({}, sample::split(1)).hash;
  EXPECT_THAT(
      accuracy,
      ElementsAre(ElementsAre("study", "label", "method", "sharing", "grouping", "seed", "task",
                              "n_train", "n_test", "n_correct", "accuracy", "loss", "run"),
                  ElementsAre("demo", "Q:a \"row\", with\nall", "coop", "joint", "Q:", "1", "line",
                              "4", "10", "7", "0.7", "0.30000000000000004", run),
                  ElementsAre("demo", "Q:a \"row\", with\nall", "coop", "joint", "Q:", "1", "emoji",
                              "4", "10", "1", "0.1", "0.5", run)));
  const auto failures = parse_csv(text_of(out_ / "failures.csv"));
  ASSERT_EQ(failures.size(), 2U);
  EXPECT_EQ(failures[1][4], "Q:out of memory, after 3 steps");
  // NULL is an empty field without quotes: the setup phase has no images a second.
  const auto cost = parse_csv(text_of(out_ / "cost.csv"));
  EXPECT_EQ(cost[0][9], "images_per_second");
  EXPECT_EQ(cost[1][9], "");
  EXPECT_EQ(cost[2][9], "1.6");
}

TEST_P(ExportTest, TakesAllStudiesOrOne) {
  export_views(path_, out_);
  EXPECT_THAT(text_of(out_ / "ranking.csv"), HasSubstr("\nother,"));
  EXPECT_THAT(text_of(out_ / "ranking.csv"), HasSubstr("\ndemo,"));
  export_views(path_, out_, "other");  // replaces the files
  EXPECT_THAT(text_of(out_ / "ranking.csv"), HasSubstr("\nother,"));
  EXPECT_THAT(text_of(out_ / "ranking.csv"), Not(HasSubstr("\ndemo,")));
  // A view without lines still has its header.
  EXPECT_EQ(parse_csv(text_of(out_ / "failures.csv")).size(), 1U);
}

TEST_P(ExportTest, LeavesViewsThatSomebodyAddedAlone) {
  sample::change_store(path_, "CREATE VIEW mine AS SELECT 1 AS one");
  EXPECT_EQ(export_views(path_, out_).size(), 8U);
}

TEST_P(ExportTest, ReadsAStoreOfAnEarlierVersion) {
  const std::filesystem::path old = folder_ / "old.sqlite";
  sample::make_old_store(old, 1);
  EXPECT_EQ(export_views(old, out_).size(), 8U);
  EXPECT_THAT(text_of(out_ / "ranking.csv"), HasSubstr("demo,1,mmap-grouped,1,1,"));
}

TEST_P(ExportTest, RefusesAnUnknownStudyAndAPlaceThatCannotBeWritten) {
  const auto refusal = [&](const std::filesystem::path& out, const std::string& study) {
    try {
      export_views(path_, out, study);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::store);
      return std::string(error.what());
    }
    return std::string("written");
  };
  EXPECT_THAT(refusal(out_, "dmeo"), HasSubstr("it holds no study 'dmeo', only 'demo', 'other'"));
  EXPECT_FALSE(std::filesystem::exists(out_));
  std::ofstream(folder_ / "file") << "x";
  EXPECT_THAT(refusal(folder_ / "file/out", "demo"), HasSubstr("cannot make folder"));
  std::filesystem::create_directories(out_ / "accuracy.csv/full");
  EXPECT_THAT(refusal(out_, "demo"), HasSubstr("cannot write"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(out_), {}), 1);
}

PETLAB_ON_EVERY_KIND_OF_STORE(ExportTest);

}  // namespace
}  // namespace petlab::results
