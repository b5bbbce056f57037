#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

constexpr const char* kProbe = "[row.probe]\nmethod = linear-probe\nsharing = joint\n";

/// A folder of protocols: two tables, one of them a family of two studies, and a setting.
class ReproduceTest : public testing::Test {
 protected:
  ReproduceTest() {
    write("tables/methods.ini", std::string("[study]\ndescription = all of them\n") + kZeroShotRow +
                                    kProbe + "[row.coop]\nmethod = coop\nsharing = joint\n");
    write("tables/share.ini", std::string(kZeroShotRow) + kProbe);
    write("tables/share/25.ini", "[dataset]\ntrain-fraction = 0.25\n");
    write("tables/share/40.ini", "[dataset]\ntrain-fraction = 0.4\n");
    write("settings/small.ini",
          "[study]\nseeds = 1,2\n[dataset]\nname = folder\nroot = ../../pictures\n"
          "train-fraction = 0.4\n[backbone]\ndir = ../../clip\n[train]\nepochs = 2\nbatch = 2\n"
          "[method.coop]\noption.n-ctx = 2\n[method.mmap]\noption.b = 2\n");
  }

  void write(const std::string& file, const std::string& text) const {
    const fs::path path = workshop_.folder() / "protocols" / file;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  [[nodiscard]] Output reproduce(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "reproduce");
    for (const char* more : {"--protocols", "protocols", "--on", "small", "--cache-dir", "cache"})
      arguments.emplace_back(more);
    return run_petlab(arguments, workshop_.folder());
  }

  Workshop workshop_;
};

TEST_F(ReproduceTest, RunsEachRunOnceAndWritesOnePage) {
  const Output first = reproduce({"all"});
  ASSERT_EQ(first.exit_code, 0) << first.out << first.err;
  // 3 rows and 2 x 2 rows with 2 seeds each; those of 40 % are the first table's.
  EXPECT_THAT(first.out, HasSubstr("3 studies: 10 runs, 0 in results/small.sqlite, 10 to do"));
  for (const char* text : {"small/methods", "small/share/25", "small/share/40"})
    EXPECT_THAT(first.out, HasSubstr(text));
  // One chart over the studies that differ in their training size alone.
  EXPECT_THAT(first.out, HasSubstr("Accuracy by training size"));
  std::ifstream file(workshop_.folder() / "reports/out/small/report.html");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(page, AllOf(HasSubstr("data-chart=\"train_sizes\" data-study=\"3\""),
                          HasSubstr("{\"sizes\":[\"25 %\",\"40 %\"]")));

  const results::RunStore store(workshop_.folder() / "results/small.sqlite",
                                results::OpenMode::read_only);
  EXPECT_THAT(store.studies(),
              testing::UnorderedElementsAre("small/methods", "small/share/25", "small/share/40"));
  EXPECT_EQ(store.runs("small/methods").at(0).plan.hash,
            store.runs("small/share/40").at(0).plan.hash);
  EXPECT_NE(store.runs("small/methods").at(0).plan.hash,
            store.runs("small/share/25").at(0).plan.hash);

  const Output again = reproduce({"share"});
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_THAT(again.out, HasSubstr("2 studies: 8 runs, 8 in results/small.sqlite, 0 to do"));

  // The same study by petlab run.
  const Output plan =
      run_petlab({"plan", "protocols/tables/share.ini", "--with", "protocols/settings/small.ini",
                  "--with", "protocols/tables/share/25.ini", "--store", "results/small.sqlite"},
                 workshop_.folder());
  EXPECT_THAT(plan.out, HasSubstr("4 runs: 4 done")) << plan.err;
}

TEST_F(ReproduceTest, QuotesWhatAFileSays) {
  const auto quote = [&](const std::string& lines, const std::string& more_columns = "") {
    std::ofstream(workshop_.folder() / "quoted.csv")
        << "study,row,quantity,value,source,page,table,verified_by" << more_columns << "\n"
        << lines;
    return reproduce({"share", "--rows", "zero-shot", "--seeds", "1", "--published", "quoted.csv"});
  };
  const Output good = quote(
      "small/share/*,zero-shot,mean,12.5,\"A paper, 2024\",7,Table 1,me\n"
      "small/other,zero-shot,mean,1,A paper,7,Table 1,me\n");
  ASSERT_EQ(good.exit_code, 0) << good.err;
  EXPECT_THAT(good.out, AllOf(HasSubstr("quoted mean %"), HasSubstr("12.5"),
                              HasSubstr("Quoted from A paper, 2024, p. 7, Table 1")));
  EXPECT_THAT(good.err, HasSubstr("quoted.csv: 1 of 2 numbers are about no row"));

  const Output known = quote(
      "small/share/25*,zero-shot,parameters,0,A paper,7,Table 1,me,0\n"
      "small/share/25*,zero-shot,mean,300,A paper,7,Table 1,me,1.5\n",
      ",within");
  EXPECT_EQ(known.exit_code, 0) << known.err;
  EXPECT_THAT(known.out, HasSubstr("Of 2 known answers 1 met, 1 not met, 0 not run."));
  const Output distance =
      quote("small/share/25*,zero-shot,mean,3,A paper,7,Table 1,me,-1\n", ",within");
  EXPECT_EQ(distance.exit_code, 3);
  EXPECT_THAT(distance.err,
              HasSubstr("quoted.csv:2: within is '-1', expected a number of at least 0"));

  const Output number = quote("small/share/*,zero-shot,mean,many,A paper,7,Table 1,me\n");
  EXPECT_EQ(number.exit_code, 3);
  EXPECT_THAT(number.err, HasSubstr("quoted.csv:2: value is 'many', expected a number as printed"));
  const Output empty = quote(
      "small/share/*,zero-shot,mean,1,A paper,7,Table 1,me\n"
      "small/share/*,zero-shot,mean,1,A paper,7,Table 1,\n");
  EXPECT_EQ(empty.exit_code, 3);
  EXPECT_THAT(empty.err, HasSubstr("quoted.csv:3: column 'verified_by' is empty"));
}

TEST_F(ReproduceTest, ListsTablesAndSettings) {
  for (const Output& output : {reproduce({"--list"}), reproduce({})}) {
    EXPECT_EQ(output.exit_code, 0) << output.err;
    EXPECT_THAT(output.out, AllOf(HasSubstr("methods"), HasSubstr("all of them (3 rows)"),
                                  HasSubstr("(2 rows; 2 studies)"), HasSubstr("\n  small\n")));
  }
}

TEST_F(ReproduceTest, SaysWhatIsWrongInOneSentence) {
  const auto one_line = [](const Output& output) {
    return output.err.find('\n') == output.err.size() - 1;
  };
  const Output table = reproduce({"method"});
  EXPECT_EQ(table.exit_code, 2);
  EXPECT_THAT(table.err, HasSubstr("no table 'method'; did you mean 'methods'?"));
  EXPECT_TRUE(one_line(table)) << table.err;

  fs::remove_all(workshop_.folder() / "pictures");
  const Output data = reproduce({"all"});
  EXPECT_EQ(data.exit_code, 3);
  EXPECT_THAT(data.err, AllOf(HasSubstr("does not exist"), HasSubstr("--dataset-root DIR")));
  EXPECT_TRUE(one_line(data)) << data.err;
  EXPECT_FALSE(fs::exists(workshop_.folder() / "results"));
}

}  // namespace
}  // namespace petlab::tests
