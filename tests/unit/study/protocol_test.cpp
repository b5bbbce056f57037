#include "petlab/study/protocol.hpp"

#include "petlab/base/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr const char* kHead =
    "[study]\nseeds = 1,2\n[dataset]\nname = folder\nroot = pictures\n[backbone]\ndir = "
    "/models/clip\n";
constexpr const char* kRow = "[row.a]\nmethod = coop\nsharing = joint\n";

class ProtocolTest : public testing::Test {
 protected:
  ProtocolTest() { fs::create_directories(folder_); }
  ~ProtocolTest() override { fs::remove_all(folder_); }

  fs::path write(const std::string& text) const {
    std::ofstream(folder_ / "my.ini") << text;
    return folder_ / "my.ini";
  }

  Protocol read(const std::string& text, const std::vector<Setting>& overrides = {}) const {
    return read_protocol(write(text), overrides);
  }

  std::string error_of(const std::string& text, const std::vector<Setting>& overrides = {}) const {
    try {
      (void)read(text, overrides);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::config);
      return error.what();
    }
    return "no error";
  }

  fs::path folder_ =
      fs::path(testing::TempDir()) /
      ("protocol_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(ProtocolTest, TakesAnEquivalenceMarginInPercentagePoints) {
  EXPECT_FALSE(read(std::string(kHead) + kRow).equivalence_margin.has_value());
  const auto with = [&](const std::string& value) {
    return "[study]\nequivalence-margin = " + value + std::string(kHead).substr(7) + kRow;
  };
  EXPECT_EQ(read(with("1.5")).equivalence_margin, 1.5);
  for (const char* wrong : {"0", "-1", "101", "nan", "one"})
    EXPECT_THAT(
        error_of(with(wrong)),
        testing::AllOf(HasSubstr("my.ini:2"), HasSubstr("expected percentage points over 0")));
}

TEST_F(ProtocolTest, ReadsRowsInTheOrderOfTheFile) {
  const Protocol p =
      read(std::string(kHead) +
           "[row.z]\nmethod = mmap\nsharing = grouped+specific\ngrouping = gradient\n"
           "grouping.groups = 2\noption.b = 8  # a comment\n"
           "[row.a]\nmethod = coop\nsharing = per-task\n");
  ASSERT_EQ(p.rows.size(), 2U);
  EXPECT_EQ(p.name, "my");
  EXPECT_EQ(p.rows[0].label, "z");
  EXPECT_EQ(p.rows[0].sharing, engine::Sharing::grouped_specific);
  EXPECT_EQ(p.rows[0].grouping, "gradient");
  EXPECT_EQ(p.rows[0].grouping_options.at("groups"), "2");
  EXPECT_EQ(p.rows[0].method_options.at("b"), "8");
  EXPECT_EQ(p.rows[1].label, "a");
  EXPECT_EQ(p.seeds, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(ProtocolTest, PathsStartAtTheFileOrAtTheWorkingDirectory) {
  const std::string text = std::string(kHead) + kRow;
  EXPECT_EQ(read(text).dataset.root, folder_ / "pictures");
  EXPECT_EQ(read(text).backbone, "/models/clip");
  EXPECT_EQ(read(text, {{"dataset.root", "mine", "--root", ""}}).dataset.root,
            fs::current_path() / "mine");
}

TEST_F(ProtocolTest, TheRowBeatsTheMethodsSection) {
  const Protocol p = read(std::string(kHead) +
                          "[method.coop]\nlearning-rate = 0.5\nmomentum = 0.1\noption.n-ctx = 4\n" +
                          kRow + "learning-rate = 0.25\n");
  EXPECT_EQ(p.rows[0].training.at("learning-rate"), "0.25");
  EXPECT_EQ(p.rows[0].training.at("momentum"), "0.1");
  EXPECT_FALSE(p.rows[0].training.contains("optimizer"));
  EXPECT_EQ(p.rows[0].method_options.at("n-ctx"), "4");
}

TEST_F(ProtocolTest, OverridesReplaceAndLaterOnesWin) {
  const Protocol p = read(std::string(kHead) + "[train]\nepochs = 3\n" + kRow,
                          {{"train.epochs", "7", "PETLAB_EPOCHS", ""},
                           {"train.epochs", "9", "--epochs", ""},
                           {"row.a.option.n-ctx", "2", "--set", ""},
                           {"method.coop.momentum", "0.5", "--set", ""}});
  EXPECT_EQ(p.training.epochs, 9);
  EXPECT_EQ(p.rows[0].method_options.at("n-ctx"), "2");
  EXPECT_EQ(p.rows[0].training.at("momentum"), "0.5");
}

TEST_F(ProtocolTest, ATableAndASettingAreOneStudy) {
  const auto file = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  };
  const fs::path table = file("depth.ini", "[study]\ndescription = what\n" + std::string(kRow));
  const fs::path setting =
      file("here.ini",
           std::string(kHead) + "[method.coop]\nmomentum = 0.1\n[method.mmap]\nmomentum = 0.2\n");
  const fs::path member = file("05.ini", "[dataset]\ntrain-fraction = 0.05\n");

  const Protocol p = read_protocol(std::vector<fs::path>{table, setting});
  EXPECT_EQ(p.name, "here/depth");
  EXPECT_EQ(p.description, "what");
  EXPECT_EQ(p.rows.at(0).training.at("momentum"), "0.1");
  EXPECT_EQ(p.dataset.root, folder_ / "pictures");
  EXPECT_EQ(p.dataset.train_fraction, 0.1);

  const Protocol q = read_protocol(std::vector<fs::path>{table, setting, member});
  EXPECT_EQ(q.name, "here/depth/05");
  EXPECT_EQ(q.dataset.train_fraction, 0.05);

  // The first file's own sections are for its rows.
  const fs::path idle = file("idle.ini", std::string(kRow) + "[method.mmap]\nmomentum = 0\n");
  EXPECT_THROW((void)read_protocol(std::vector<fs::path>{idle, setting}), base::Error);
}

/// Every shipped table in every shipped setting: rows, keys and values are read, pictures are not.
TEST(ShippedProtocols, EveryTableIsAStudyInEverySetting) {
  const fs::path protocols = PETLAB_PROTOCOLS;
  const auto files = [&](const fs::path& folder) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".ini") found.push_back(entry.path());
    return found;
  };
  const auto settings = files(protocols / "settings");
  const auto tables = files(protocols / "tables");
  EXPECT_EQ(settings.size(), 4U);
  EXPECT_GT(tables.size(), 9U);
  for (const fs::path& setting : settings)
    for (const fs::path& table : tables) {
      std::vector<fs::path> study = {table, setting};
      if (const fs::path parent = table.parent_path(); parent != protocols / "tables")
        study = {parent.string() + ".ini", setting, table};
      const Protocol p = read_protocol(study);
      EXPECT_EQ(p.seeds, (std::vector<std::uint64_t>{1, 2, 3, 4, 5})) << p.name;
      EXPECT_EQ(p.rows.at(0).method, "zero-shot") << p.name;
      EXPECT_TRUE(p.name.starts_with(setting.stem().string() + "/")) << p.name;
      EXPECT_FALSE(p.description.empty()) << p.name;
    }
}

TEST_F(ProtocolTest, NamesLineAndKeyOfAMistake) {
  const std::string good = std::string(kHead) + kRow;
  const struct {
    std::string text, message;
  } cases[] = {
      {good + "learning-rat = 1\n",
       "my.ini:11: unknown key 'learning-rat' in [row.a]; did you mean 'learning-rate'?"},
      {good + "[train]\nepoch = 3\n",
       "my.ini:12: unknown key 'epoch' in [train]; did you mean 'epochs'?"},
      {good + "[tran]\nepochs = 3\n", "my.ini:12: unknown section [tran]; did you mean 'train'?"},
      {good + "[train]\nepochs = 0\n",
       "my.ini:12: 'train.epochs' is '0', expected an integer >= 1"},
      {good + "[train]\nepochs = 3.5\n", "'3.5', expected an integer"},
      {good + "[train]\nepochs = 3\nepochs = 4\n",
       "my.ini:13: key 'train.epochs' is there twice (first in line 12)"},
      {good + "[train]\nschedule = cosinus\n",
       "expected one of cosine, constant; did you mean 'cosine'?"},
      {good + "[train]\nwarmup-learning-rate = nan\n", "expected a number >= 0"},
      {good + "[train]\nepochs = 2\nwarmup-epochs = 2\n", "expected fewer than the 2 epochs"},
      {good + "[train\n", "my.ini:11: expected a section"},
      {good + "what is this\n", "my.ini:11: expected 'key = value', found 'what is this'"},
      {"seeds = 1\n" + good, "my.ini:1: key 'seeds' stands before the first [section]"},
      {good + kRow, "my.ini:11: section [row.a] is there twice"},
      {good + "[row.b]\n", "row 'b' has no key 'method'"},
      {good + "[row.b]\nmethod = coop\n", "my.ini:12: row 'b' has no key 'sharing'"},
      {good + "[row.b]\nmethod = coop\nsharing = joined\n", "my.ini:13: "},
      {good + "[row.b]\nmethod = coop\nsharing = grouped\n", "has no key 'grouping'"},
      {good + "[row.b]\nmethod = coop\nsharing = joint\ngrouping = gradient\n", "has no groups"},
      {good + "[row.b c]\nmethod = coop\nsharing = joint\n", "row 'b c' is no name"},
      {good + "[method.mmap]\nmomentum = 0\n", "no row uses method 'mmap'"},
      {kHead, "the study has no row"},
      {"[study]\nname = a//b\n", "'a//b', expected names of letters, digits"},
      {kRow, "names no backbone"},
      {"", "the study has no row"},
  };
  for (const auto& one : cases)
    EXPECT_THAT(error_of(one.text), HasSubstr(one.message)) << one.text;
}

TEST_F(ProtocolTest, ReadsEveryKindOfSplit) {
  const auto dataset = [&](const std::vector<Setting>& settings) {
    return read(std::string(kHead) + kRow, settings).dataset;
  };
  const engine::DatasetSpec shots = dataset({{"dataset.split", "shots", "x", ""},
                                             {"dataset.train-shots", "4", "x", ""},
                                             {"dataset.validation-shots", "2", "x", ""}});
  EXPECT_EQ(shots.train_shots, 4);
  EXPECT_TRUE(shots.tests_on_validation());
  const engine::DatasetSpec list = dataset({{"dataset.split", "list", "x", ""},
                                            {"dataset.name", "office-home", "x", ""},
                                            {"dataset.domains", "Art, Real World", "x", ""},
                                            {"dataset.split-list", "lists/*.txt", "x", "/base"},
                                            {"dataset.validation", "list", "x", ""}});
  EXPECT_EQ(list.domains, (std::vector<std::string>{"Art", "Real World"}));
  EXPECT_EQ(list.split_list, "lists/*.txt");
  EXPECT_EQ(list.split_base, "/base/");
  EXPECT_EQ(list.validation, engine::ValidationPart::list);
  const std::string good = std::string(kHead) + kRow;
  EXPECT_THAT(error_of(good, {{"dataset.split", "shots", "--split", ""}}),
              HasSubstr("needs train-shots"));
  EXPECT_THAT(error_of(good, {{"dataset.train-shots", "3", "--train-shots", ""}}),
              HasSubstr("--train-shots: train-shots is for split = shots, the split is percent"));
  EXPECT_THAT(error_of(good, {{"dataset.name", "ofice-home", "--dataset", ""}}),
              HasSubstr("did you mean 'office-home'?"));
  EXPECT_THAT(error_of(good, {{"dataset.validation-shots", "1", "x", ""},
                              {"dataset.validation", "list", "x", ""}}),
              HasSubstr("in more than one way"));
}

TEST_F(ProtocolTest, ADevelopmentSplitIsSaidWhole) {
  const std::string good = std::string(kHead) + kRow;
  const auto set = [](const char* key, const char* value) {
    return Setting{std::string("dataset.") + key, value, std::string("--") + key, ""};
  };
  const Setting share = set("development-fraction", "0.3");
  const engine::DatasetSpec plain = read(good, {}).dataset;
  EXPECT_EQ(plain.development_fraction, 0.0);
  EXPECT_FALSE(plain.tests_on_validation());
  const engine::DatasetSpec aside = read(good, {share, set("development-seed", "7")}).dataset;
  EXPECT_EQ(aside.development_fraction, 0.3);
  EXPECT_EQ(aside.development_seed, 7);
  EXPECT_FALSE(aside.tests_on_validation());
  EXPECT_TRUE(read(good, {share, set("validation", "development")}).dataset.tests_on_validation());
  const struct {
    std::vector<Setting> settings;
    const char* message;
  } cases[] = {
      {{set("validation", "development")}, "--validation: validation = development needs a"},
      {{set("development-seed", "2")}, "--development-seed: development-seed needs a"},
      {{set("development-fraction", "1")}, "expected a number from 0 to less than 1"},
      {{share, set("split", "list")}, "is for split = percent and shots"},
      {{share, set("validation", "list")}, "expected one of them"},
      {{share, set("train-fraction", "0.7")},
       "--development-fraction: development-fraction is 0.3, expected less than 1 together with "
       "train-fraction, 0.7"},
      {{share, set("validation", "development"), set("validation-shots", "1")},
       "in more than one way"},
  };
  for (const auto& one : cases)
    EXPECT_THAT(error_of(good, one.settings), HasSubstr(one.message)) << one.message;
}

TEST_F(ProtocolTest, NamesTheOptionOfAMistakeOnTheCommandLine) {
  const std::string good = std::string(kHead) + kRow;
  EXPECT_THAT(error_of(good, {{"train.epochs", "many", "--epochs", ""}}),
              HasSubstr("--epochs: 'train.epochs' is 'many'"));
  EXPECT_THAT(error_of(good, {{"row.b.momentum", "0", "--set row.b.momentum=0", ""}}),
              HasSubstr("the study has no row 'b'"));
  EXPECT_THAT(error_of(good, {{"nonsense", "0", "--set nonsense=0", ""}}),
              HasSubstr("unknown section [nonsense]"));
}

TEST_F(ProtocolTest, AMissingFileIsNamed) {
  try {
    (void)read_protocol("/no/such/study.ini");
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_STREQ(error.what(), "cannot read protocol file /no/such/study.ini");
  }
}

TEST(Seeds, AreListsAndRanges) {
  EXPECT_EQ(parse_seeds("1-3", "x"), (std::vector<std::uint64_t>{1, 2, 3}));
  EXPECT_EQ(parse_seeds("5, 1-2", "x"), (std::vector<std::uint64_t>{5, 1, 2}));
  for (const char* bad : {"", "1,1", "a", "1,", "3-1", "-1", "1-2,2", "18446744073709551615"})
    EXPECT_THROW((void)parse_seeds(bad, "x"), base::Error) << bad;
}

TEST_F(ProtocolTest, TenThousandRowsTakeAsLongAsTenTimesAThousand) {
  const auto seconds = [&](int rows) {
    std::string text = kHead;
    for (int i = 0; i < rows; ++i)
      text += "[row.r" + std::to_string(i) +
              ".x]\nmethod = coop\nsharing = joint\noption.n-ctx = " + std::to_string(1 + i) + "\n";
    const auto file = write(text);
    const auto begin = std::chrono::steady_clock::now();
    const Protocol protocol = read_protocol(file, {{"train.epochs", "3", "--epochs", ""}});
    EXPECT_EQ(protocol.rows.size(), static_cast<std::size_t>(rows));
    EXPECT_EQ(protocol.rows.back().method_options.at("n-ctx"), std::to_string(rows));
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const double small = std::min({seconds(1000), seconds(1000), seconds(1000)});
  // Quadratic, it would be a hundred times.
  EXPECT_LT(seconds(10'000), 40 * small + 0.1);
}

TEST_F(ProtocolTest, SeveralTrainingSizesAreOneAxisWithOneTestSet) {
  const std::string shots = std::string(kHead) + kRow;
  const auto with = [](const std::string& key, const std::string& value) {
    return Setting{"dataset." + key, value, "--set", ""};
  };
  const Protocol p = read(shots, {with("split", "shots"), with("train-shots", "1, 2,16")});
  EXPECT_EQ(p.dataset.train_shot_counts, (std::vector<std::int64_t>{1, 2, 16}));
  EXPECT_EQ(p.dataset.largest_train_size, 16.0);
  const Protocol wider = read(
      shots, {with("split", "shots"), with("train-shots", "1"), with("largest-train-size", "16")});
  EXPECT_TRUE(wider.dataset.train_shot_counts.empty());
  const Protocol shares = read(shots, {with("train-fraction", "0.05,0.4")});
  EXPECT_EQ(shares.dataset.largest_train_size, 0.4);
  const auto refusal = [&](const std::vector<Setting>& more) { return error_of(shots, more); };
  EXPECT_THAT(
      refusal({with("train-fraction", "0.1,0.2,0.1")}),
      HasSubstr("--set: 'dataset.train-fraction' is '0.1,0.2,0.1', expected each size once"));
  EXPECT_THAT(refusal({with("train-fraction", "0.1,1")}), HasSubstr("expected a number between"));
  EXPECT_THAT(refusal({with("train-fraction", "0.1,0.4"), with("largest-train-size", "0.3")}),
              HasSubstr("largest-train-size is 0.3, expected at least 0.4"));
  EXPECT_THAT(refusal({with("split", "shots"), with("train-shots", "1"),
                       with("largest-train-size", "1.5")}),
              HasSubstr("expected a number of images"));
  EXPECT_THAT(refusal({with("train-fraction", "0.1"), with("largest-train-size", "4")}),
              HasSubstr("expected a share less than 1"));
  EXPECT_THAT(refusal({with("split", "list"), with("largest-train-size", "4")}),
              HasSubstr("largest-train-size is for split = percent and shots"));
  EXPECT_THAT(refusal({with("train-fraction", "0.1,0.4"), with("development-fraction", "0.6")}),
              HasSubstr("expected less than 1 together with train-fraction, 0.4"));
  EXPECT_THAT(refusal({with("train-fraction", "0.1,0.4"),
                       Setting{"search.space.learning-rate", "x1,x3", "--set", ""}}),
              HasSubstr("chooses settings for one training size"));
}

TEST_F(ProtocolTest, AStudyOfStepsMayHaveFewerEpochsThanItsWarmUp) {
  const std::string text = std::string(kHead) + "[train]\nepochs = 1\n" + kRow;
  EXPECT_THAT(error_of(text), HasSubstr("warmup-epochs in [train] is 1, expected fewer"));
  EXPECT_EQ(read(text, {{"train.steps", "300", "--steps", ""}}).training.steps, 300);
}

}  // namespace
}  // namespace petlab::study
