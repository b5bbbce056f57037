#include "page_data.hpp"

#include "sample_study.hpp"

#include <gtest/gtest.h>

namespace petlab::reports {
namespace {

class PageDataTest : public testing::Test {
 protected:
  results::sample::TemporaryFolder folder_;
  results::RunStore store_ = sample::demo_store(folder_ / "demo.sqlite");
  Report report_ = build_report(store_, "demo");
};

// "AQI=" holds the bytes 1 and 2.
std::vector<int> unpacked(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<int> bytes;
  unsigned bits = 0;
  int held = 0;
  for (const char c : text) {
    if (c == '=') break;
    bits = bits << 6U | static_cast<unsigned>(digits.find(c));
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<int>(bits >> static_cast<unsigned>(held) & 0xFFU));
  }
  return bytes;
}

TEST_F(PageDataTest, HoldsWhatTheChartsNeedOfEveryRowAndSeed) {
  const auto data = chart_data(report_);
  ASSERT_EQ(data["rows"].size(), report_.rows.size());
  const auto& row = data["rows"][2];
  EXPECT_EQ(row["label"], "mmap-grouped");
  EXPECT_EQ(row["seeds"].size(), 3U);
  EXPECT_EQ(row["seeds"][0]["trainable"], 1500);
  EXPECT_NEAR(row["mean"]["mean"].get<double>(), report_.rows[2].mean->mean, 1e-6);
  EXPECT_EQ(data["groupings"].size(), 3U);
  EXPECT_TRUE(data["ranks"].is_null());
  EXPECT_EQ(data["zeroShot"], 0);
}

TEST_F(PageDataTest, PredictionsGiveTheAccuraciesOfTheTable) {
  const auto data = prediction_data({report_}, 1'000'000).front();
  EXPECT_EQ(data["note"], "");
  EXPECT_EQ(data["runs"].size(), 10U);
  for (const auto& run : data["runs"]) {
    const auto& tasks = data["splits"][run["split"].get<std::size_t>()]["tasks"];
    const auto row = std::find_if(report_.rows.begin(), report_.rows.end(), [&](const Row& each) {
      return each.label == run["row"].get<std::string>();
    });
    const auto seed = std::find_if(
        row->seeds.begin(), row->seeds.end(),
        [&](const SeedResult& each) { return each.seed == run["seed"].get<std::uint64_t>(); });
    for (std::size_t t = 0; t < tasks.size(); ++t) {
      const std::vector<int> labels = unpacked(tasks[t]["labels"]);
      const std::vector<int> answers = unpacked(run["answers"][t]);
      ASSERT_EQ(labels.size(), answers.size());
      std::int64_t right = 0;
      for (std::size_t i = 0; i < labels.size(); ++i)
        right += labels[i] == answers[i] ? 1 : 0;
      EXPECT_EQ(right, seed->tasks[t].n_correct) << row->label << ' ' << seed->seed;
    }
  }
}

TEST_F(PageDataTest, KeepsTheFirstSeedsWherePredictionsTakeTooMuchRoomAndSaysSo) {
  const std::size_t all = prediction_data({report_}, 1'000'000).front().dump().size();
  const auto some = prediction_data({report_}, all - 100).front();
  EXPECT_EQ(some["runs"].size(), 4U);
  EXPECT_NE(some["note"].get<std::string>().find("first seed of each row"), std::string::npos);
  const auto none = prediction_data({report_}, 1).front();
  EXPECT_EQ(none["runs"].size(), 0U);
  EXPECT_NE(none["note"].get<std::string>().find("first rows"), std::string::npos);
}

TEST_F(PageDataTest, SaysWhichPredictionsTheReportLeftOut) {
  const auto predictions_of = [](const Report& report) {
    std::vector<bool> has;
    for (const Row& row : report.rows) {
      for (const SeedResult& seed : row.seeds)
        has.push_back(!seed.tasks.front().predictions.empty());
    }
    return has;
  };
  // Ten finished runs of 20 test images each.
  EXPECT_EQ(predictions_of(build_report(store_, "demo", 200)), std::vector<bool>(10, true));
  const Report first_seeds = build_report(store_, "demo", 199);
  EXPECT_EQ(predictions_of(first_seeds),
            (std::vector<bool>{true, false, false, true, false, false, true, false, false, true}));
  const auto some = prediction_data({first_seeds}, 1'000'000).front();
  EXPECT_EQ(some["runs"].size(), 4U);
  EXPECT_NE(some["note"].get<std::string>().find("first seed of each row"), std::string::npos);
  const auto few = prediction_data({build_report(store_, "demo", 45)}, 1'000'000).front();
  EXPECT_EQ(few["runs"].size(), 2U);
  EXPECT_NE(few["note"].get<std::string>().find("first rows"), std::string::npos);
  EXPECT_EQ(first_seeds.rows[2].seeds[1].tasks[0].n_correct,
            report_.rows[2].seeds[1].tasks[0].n_correct);
}

TEST_F(PageDataTest, UsesTwoBytesForManyClasses) {
  for (auto& split : report_.splits) {
    for (auto& task : split.tasks)
      task.classes.resize(257, "more");
  }
  const auto data = prediction_data({report_}, 1'000'000).front();
  EXPECT_EQ(data["bytes"], 2);
  EXPECT_EQ(unpacked(data["splits"][0]["tasks"][0]["labels"]).size(),
            2 * report_.splits[0].tasks[0].test.size());
}

}  // namespace
}  // namespace petlab::reports
