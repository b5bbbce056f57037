#include "petlab/reports/compare.hpp"

#include "petlab/base/error.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace petlab::reports {
namespace {

namespace records = results::sample;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// Right answers of 10 in each of two tasks; the first so many pictures are right.
class CompareTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<records::Row> rows = {
        {"good", {run("mmap", 1, {9, 8}), run("mmap", 2, {9, 7}), run("mmap", 3, {8, 8})}},
        {"poor", {run("coop", 1, {5, 3}), run("coop", 2, {5, 4}), run("coop", 3, {4, 3})}},
        {"near", {run("vpt", 1, {6, 2}), run("vpt", 2, {4, 4}), run("vpt", 3, {5, 3})}},
        {"late", {run("lora", 4, {5, 5})}},
        {"steady", {run("prompt", 1, {8, 6}), run("prompt", 2, {8, 6}), run("prompt", 3, {8, 6})}},
        {"twin", {run("adapter", 1, {8, 6}), run("adapter", 2, {8, 6}), run("adapter", 3, {8, 6})}},
        {"flat", {run("tip", 1, {7, 5}), run("tip", 2, {7, 5}), run("tip", 3, {7, 5})}},
        {"single", {run("head", 2, {6, 6})}},
        {"missing", {run("bitfit", 1, {1, 1})}}};
    store_.set_study(records::study("sample", rows));
    for (const records::Row& row : rows) {
      for (const records::RunChoice& one : row.runs) {
        store_.register_split(records::split(one.seed));
        if (row.label != "missing") store_.record(records::done_run(one, records::split(one.seed)));
      }
    }
  }

  static records::RunChoice run(const char* method, std::uint64_t seed,
                                std::vector<std::int64_t> correct) {
    return {.method = method, .seed = seed, .correct = std::move(correct)};
  }

  CompareResult compared(const std::string& a, const std::string& b) const {
    return compare(find_side(store_, a, ""), find_side(store_, b, ""));
  }

  std::string refusal(const std::string& a, const std::string& b) const {
    try {
      (void)compared(a, b);
    } catch (const base::Error& error) {
      return error.what();
    }
    return "nothing was refused";
  }

  records::TemporaryFolder folder_;
  results::RunStore store_{folder_ / "runs.sqlite"};
};

TEST_F(CompareTest, ARealDifferenceIsSaidToBeReal) {
  const CompareResult result = compared("good", "poor");
  // Means over tasks: 0.85 0.80 0.80 against 0.40 0.45 0.35.
  EXPECT_EQ(result.difference.n, 3);
  EXPECT_NEAR(result.difference.mean, (0.45 + 0.35 + 0.45) / 3.0, 1e-12);
  // t = 12.5 with two degrees of freedom, whose distribution has a closed form.
  EXPECT_NEAR(result.seeds_p.value(), 1.0 - 12.5 / std::sqrt(12.5 * 12.5 + 2.0), 1e-12);
  // Pictures 5 to 8 of "line" and 3 to 7 of "emoji" with seed 1, and so on.
  EXPECT_EQ(result.wins.a, 25);
  EXPECT_EQ(result.wins.b, 0);
  ASSERT_EQ(result.seeds.size(), 3U);
  EXPECT_EQ(result.seeds[0].wins.a, 9);
  EXPECT_NEAR(result.seeds[0].wins.p, 2.0 / 512.0, 1e-12);  // McNemar: 2 * 2^-9
  ASSERT_EQ(result.tasks.size(), 2U);
  EXPECT_NEAR(result.tasks[0].a, (0.9 + 0.9 + 0.8) / 3.0, 1e-12);
  EXPECT_NEAR(result.tasks[0].difference.mean, 0.4, 1e-12);
  EXPECT_GE(result.tasks[0].p_holm, result.tasks[0].wins.p);
  EXPECT_GT(result.pictures.low, 0.0);
  ASSERT_TRUE(result.task_seeds.has_value());
  EXPECT_EQ(result.task_seeds->n, 6);
  EXPECT_THAT(result.verdict,
              AllOf(StartsWith("good is 41.7 points better than poor"), HasSubstr("over 3 seeds"),
                    HasSubstr("the difference is significant")));
}

TEST_F(CompareTest, AllNumbersHaveTheSignOfTheFirstLessTheSecond) {
  const CompareResult result = compared("poor", "good");
  EXPECT_NEAR(result.difference.mean, -(0.45 + 0.35 + 0.45) / 3.0, 1e-12);
  EXPECT_THAT(result.verdict, StartsWith("poor is 41.7 points worse than good on these test "
                                         "images (poor less good: 95 % interval -56.0 to -27.3"));
  EXPECT_THAT(result.verdict, HasSubstr("the interval is -"));
  std::ostringstream text;
  print_comparison(text, result, /*pictures=*/0);
  EXPECT_THAT(text.str(), HasSubstr("differences are poor less good"));
}

TEST_F(CompareTest, ADifferenceWithinTheNoiseIsNot) {
  const CompareResult result = compared("near", "poor");
  EXPECT_GT(result.seeds_p.value(), 0.05);
  EXPECT_THAT(result.verdict, HasSubstr("the difference is not significant with 3 seeds"));
}

TEST_F(CompareTest, OneRunEachSaysNothingAboutMethods) {
  const std::string a = store_.runs("sample")[0].plan.hash;
  const std::string b = store_.runs("sample")[3].plan.hash;
  const CompareResult result = compared(a.substr(0, 16), b);
  EXPECT_EQ(result.difference.n, 1);
  EXPECT_FALSE(result.seeds_p.has_value());
  EXPECT_THAT(result.verdict, HasSubstr("With one seed this says nothing about the methods"));
}

TEST_F(CompareTest, SettingsThatDifferAreListed) {
  const CompareResult result = compared("good", "poor");
  const auto method =
      std::find_if(result.settings.begin(), result.settings.end(),
                   [](const DifferentSetting& setting) { return setting.name == "method"; });
  ASSERT_NE(method, result.settings.end());
  EXPECT_EQ(method->a, "mmap");
  EXPECT_EQ(method->b, "coop");
  EXPECT_GT(result.equal_settings, 0);
}

TEST_F(CompareTest, PicturesOnWhichTheyDisagreeComeClearestFirst) {
  const CompareResult result = compared("good", "poor");
  // "line": pictures 4 to 8; "emoji": 3 to 7, of 10 each.
  EXPECT_EQ(result.disagreements.size(), 10U);
  EXPECT_EQ(result.tested_pictures, 20);
  EXPECT_EQ(result.disagreements.front().a_right - result.disagreements.front().b_right, 3);
  EXPECT_EQ(result.disagreements.front().answers.size(), 3U);
  std::ostringstream text;
  print_comparison(text, result, /*pictures=*/2);
  EXPECT_THAT(text.str(), AllOf(StartsWith("good is 41.7 points better"), HasSubstr("McNemar"),
                                HasSubstr(result.disagreements.front().picture)));
  const std::string csv = disagreements_csv(result);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 10 * 3);
}

TEST_F(CompareTest, TheSameDifferenceWithEverySeedIsNoProofOfANewOne) {
  const CompareResult result = compared("steady", "flat");
  EXPECT_NEAR(result.difference.mean, 0.1, 1e-12);
  EXPECT_FALSE(result.seeds_p.has_value());
  EXPECT_THAT(result.verdict,
              HasSubstr("always by exactly the same, so seeds leave nothing to test"));
  // One picture of each task, with all three seeds: it counts as two pictures, not as six.
  EXPECT_EQ(result.wins.a, 6);
  EXPECT_NEAR(result.wins.p, 0.5, 1e-12);
  EXPECT_EQ(compared("twin", "steady").verdict,
            "twin and steady gave the same answer to each of the 20 images: there is no "
            "difference to test.");
}

TEST_F(CompareTest, SaysWhichRunsHaveNoPartner) {
  const CompareResult result = compared("good", "single");
  EXPECT_EQ(result.difference.n, 1);
  EXPECT_THAT(result.notes,
              testing::ElementsAre("'good': 2 finished runs are left out, as the other side has no "
                                   "run with their seed."));
}

TEST_F(CompareTest, ARowOfSeveralStudiesIsNamedWithItsStudy) {
  store_.set_study(records::study("other", {{"good", {run("coop", 1, {5, 3})}}}));
  EXPECT_THAT(refusal("good", "poor"), HasSubstr("write STUDY:good, or name the study"));
  EXPECT_EQ(find_side(store_, "good", "sample").runs.size(), 3U);
  EXPECT_THAT(compared("sample:good", "other:good").verdict,
              StartsWith("sample:good is 45.0 points better than other:good"));
  EXPECT_THROW(find_side(store_, "good", "unknown"), base::Error);
}

TEST_F(CompareTest, RefusesWhatCannotBePaired) {
  EXPECT_THAT(refusal("good", "good"), HasSubstr("same run"));
  EXPECT_THAT(refusal("good", "late"), HasSubstr("seed"));
  EXPECT_THAT(refusal("good", "god"), HasSubstr("god"));
  EXPECT_THAT(refusal("good", "missing"), HasSubstr("missing"));
  const auto runs = store_.runs("sample");
  EXPECT_THAT(refusal(runs[0].plan.hash, runs[4].plan.hash), HasSubstr("different images"));
}

}  // namespace
}  // namespace petlab::reports
