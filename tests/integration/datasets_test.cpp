#include "petlab/datasets/image.hpp"
#include "petlab/results/run_store.hpp"
#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <random>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using results::OpenMode;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// Office-Home as it is unpacked, small: four domains, five classes, tiny JPEGs, stray files.
class OfficeHome : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("petlab_office_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    std::mt19937 random(11);
    for (const char* domain : {"Art", "Clipart", "Product", "Real World"})
      for (const char* name : {"Alarm_Clock", "Bed", "Kettle", "TV", "Table"})
        for (int i = 1; i <= 6; ++i)
          write(fs::path("OfficeHome") / domain / name / ("0000" + std::to_string(i) + ".jpg"),
                picture(random));
    write("OfficeHome/ImageInfo.csv", "stray");
    write("OfficeHome/imagelist.txt", "stray");
    write("OfficeHome/Art/.DS_Store", "stray");
  }
  void TearDown() override { fs::remove_all(folder_); }

  static std::string picture(std::mt19937& random) {
    datasets::Image image{24 + static_cast<int>(random() % 9), 28, {}};
    for (int i = 0; i < image.width * image.height * 3; ++i)
      image.rgb.push_back(static_cast<std::uint8_t>(random()));
    const auto bytes = datasets::encode_jpeg(image, 85);
    return {bytes.begin(), bytes.end()};
  }
  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file, std::ios::binary) << text;
  }
  [[nodiscard]] Output petlab(const std::vector<std::string>& arguments,
                              const std::vector<std::string>& environment = {}) const {
    return run_petlab(arguments, folder_, environment);
  }
  fs::path folder_;
  const std::string kProtocol = PETLAB_SOURCE_DIR "/harness/protocols/office_home_zero_shot.ini";
  const std::string kBackbone = PETLAB_SOURCE_DIR "/harness/backbones/petlab-icon-clip";
};

TEST_F(OfficeHome, TwoCommandsLeadToAZeroShotTable) {
  const Output check = petlab({"datasets", "check", "OfficeHome"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_THAT(check.err, HasSubstr("taken as data set office-home"));
  EXPECT_THAT(check.out, AllOf(HasSubstr("120 images, 5 classes, 4 domains"),
                               HasSubstr("domain 'Art' has 30 images, published are 2427"),
                               HasSubstr("Real World: 5 train (1 to 1 a class), 25 test"),
                               HasSubstr("identical files: none"), HasSubstr("fingerprint ")));

  const std::vector<std::string> run = {
      "run",        kProtocol,     "--backbone", kBackbone,   "--dataset-root",
      "OfficeHome", "--cache-dir", "cache",      "--threads", "1"};
  const Output output = petlab(run);
  ASSERT_EQ(output.exit_code, 0) << output.out << output.err;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("1 runs, 0 in results/office-home-zero-shot.sqlite"),
                    HasSubstr("zero-shot"), HasSubstr("Real World"), HasSubstr("Clipart")));
  const RunStore store(folder_ / "results/office-home-zero-shot.sqlite", OpenMode::read_only);
  const auto record = store.load(store.runs(store.studies().at(0)).at(0).plan.hash);
  ASSERT_TRUE(record.has_value());
  ASSERT_EQ(record->tasks.size(), 4U);
  for (const auto& task : record->tasks) {
    EXPECT_EQ(task.n_train, 5);
    EXPECT_EQ(task.n_test, 25);
  }
  // The same command again computes nothing and prints the table.
  EXPECT_THAT(petlab(run).out, AllOf(HasSubstr("0 to do"), HasSubstr("Real World")));
}

TEST_F(OfficeHome, RootAndBackboneComeFromOptionsThenEnvironmentThenFile) {
  const std::vector<std::string> plan = {"plan", kProtocol, "--protocol"};
  const std::vector<std::string> both = {"PETLAB_DATASET_ROOT=OfficeHome",
                                         "PETLAB_BACKBONE=" + kBackbone};
  const Output environment = petlab(plan, both);
  EXPECT_EQ(environment.exit_code, 0) << environment.err;
  EXPECT_THAT(environment.out, AllOf(HasSubstr("root = " + (folder_ / "OfficeHome").string()),
                                     HasSubstr("dir = " + kBackbone)));
  std::vector<std::string> more = plan;
  more.insert(more.end(), {"--dataset-root", "elsewhere"});
  const Output option = petlab(more, both);
  EXPECT_EQ(option.exit_code, 3);
  EXPECT_EQ(option.err, "petlab: data set folder " + (folder_ / "elsewhere").string() +
                            " does not exist: say where it is with --dataset-root DIR, "
                            "PETLAB_DATASET_ROOT or root in [dataset]\n");
  EXPECT_THAT(petlab(plan, {"PETLAB_DATASET_ROOT=OfficeHome", "PETLAB_BACKBONE=none"}).err,
              HasSubstr("none does not exist: say where it is with --backbone DIR"));
}

TEST_F(OfficeHome, RunsWithTheListsOfTheLiterature) {
  for (const char* domain : {"Art", "Clipart", "Product", "Real_World"}) {
    std::string train, test;
    int label = 0;
    for (const char* name : {"Alarm_Clock", "Bed", "Kettle", "TV", "Table"}) {
      for (int i = 1; i <= 6; ++i)
        (i <= 2 ? train : test) += std::string("/data/someone/images/") + domain + "/" + name +
                                   "/0000" + std::to_string(i) + ".jpg " + std::to_string(label) +
                                   "\n";
      ++label;
    }
    write(std::string("lists/") + domain + "/train_20.txt", train);
    write(std::string("lists/") + domain + "/test_20.txt", test);
  }
  const std::string pattern = "lists/*/{train,test}_20.txt";
  const Output run = petlab({"run", kProtocol, "--backbone", kBackbone, "--dataset-root",
                             "OfficeHome", "--cache-dir", "cache", "--split", "list",
                             "--split-list", pattern, "--store", "a.sqlite", "--threads", "1"});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  const RunStore store(folder_ / "a.sqlite", OpenMode::read_only);
  const auto record = store.load(store.runs(store.studies().at(0)).at(0).plan.hash);
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->tasks.at(3).n_train, 10);
  EXPECT_EQ(record->tasks.at(3).n_test, 20);

  const Output split = petlab({"datasets", "split", "OfficeHome", "--split-list", pattern, "--out",
                               "split.csv", "--validation-shots", "1"});
  EXPECT_EQ(split.exit_code, 0) << split.err;
  EXPECT_THAT(split.out, HasSubstr("Art: 5 train (1 to 1 a class), 5 validation, 20 test"));
  const Output back = petlab({"datasets", "split", "OfficeHome", "--split-list", "split.csv"});
  const auto hash = [](const std::string& text) { return text.substr(text.find("  hash ")); };
  EXPECT_EQ(hash(back.out), hash(split.out)) << back.err;

  write("lists/Art/test_20.txt", "Art/Bed/00001.jpg 0\n");
  const Output mixed =
      petlab({"datasets", "split", "OfficeHome", "--split-list", pattern, "--out", "mixed.csv"});
  EXPECT_EQ(mixed.exit_code, 3);
  EXPECT_THAT(mixed.err, HasSubstr("is listed already"));
  EXPECT_FALSE(fs::exists(folder_ / "mixed.csv"));
}

TEST_F(OfficeHome, StrictMakesFindingsFatal) {
  write("OfficeHome/Product/TV/broken.jpg", "no image");
  fs::copy_file(folder_ / "OfficeHome/Art/TV/00001.jpg",
                folder_ / "OfficeHome/Product/TV/copy.jpg");
  const Output lenient =
      petlab({"datasets", "check", "OfficeHome", "--brief", "--duplicates", "found.csv"});
  EXPECT_EQ(lenient.exit_code, 0);
  EXPECT_THAT(lenient.out,
              AllOf(HasSubstr("unreadable images: 1\n  OfficeHome/Product/TV/broken.jpg"),
                    HasSubstr("identical files: 1 ("), HasSubstr("1 between domains"),
                    HasSubstr("Art/TV/00001 = Product/TV/copy")));
  EXPECT_TRUE(fs::exists(folder_ / "found.csv"));
  EXPECT_EQ(petlab({"datasets", "check", "OfficeHome", "--strict"}).exit_code, 3);
}

TEST_F(OfficeHome, MistakesAreOneSentence) {
  const struct {
    std::vector<std::string> arguments;
    int exit_code;
    std::string message;
  } cases[] = {
      {{"check", "nowhere"}, 3, "data set folder nowhere does not exist"},
      {{"check", "OfficeHome/Art", "--dataset", "office-home"}, 3, "it is the domain 'Art'"},
      {{"check", "OfficeHome", "--dataset", "ofice-home"}, 2, "did you mean 'office-home'?"},
      {{"check", "OfficeHome", "--domains", "Sketch"}, 2, "no domain 'Sketch' in"},
      {{"check", "OfficeHome", "--near", "20"}, 2, "--near is 20, expected 0 to 15"},
      {{"split", "OfficeHome", "--train-fraction", "2"}, 2, "the fraction of a split is 2"},
      {{"split", "OfficeHome", "--split", "shots"}, 2, "needs --train-shots"},
      {{"split", "OfficeHome", "--split-list", "no*.txt"}, 2, "no file matches 'no*.txt'"},
      {{"split", "OfficeHome", "--split", "list"}, 2, "brings no split with it"},
      {{"fingerprint"}, 2, "petlab datasets fingerprint needs ROOT"},
  };
  for (const auto& one : cases) {
    std::vector<std::string> arguments = {"datasets"};
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    const Output output = petlab(arguments);
    EXPECT_EQ(output.exit_code, one.exit_code) << one.message << output.err;
    EXPECT_THAT(output.err, HasSubstr(one.message));
    std::string last = output.err;
    if (last.starts_with("petlab: taken as")) last.erase(0, last.find('\n') + 1);
    EXPECT_EQ(std::count(last.begin(), last.end(), '\n'), 1) << output.err;
  }
}

TEST_F(OfficeHome, TasksWithOtherClassesRunToo) {
  std::mt19937 random(3);
  for (const char* place : {"shop/cup & saucer", "shop/old_radio", "attic/old_radio",
                            "attic/doll's house", "attic/box, \"big\""})
    for (int i = 0; i < 5; ++i)
      write(fs::path("mine") / place / ("a picture " + std::to_string(i) + ".jpg"),
            picture(random));
  const Output run = petlab({"run", kProtocol, "--backbone", kBackbone, "--dataset", "folder",
                             "--dataset-root", "mine", "--cache-dir", "cache", "--split", "shots",
                             "--train-shots", "2", "--store", "b.sqlite", "--threads", "1"});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  const RunStore store(folder_ / "b.sqlite", OpenMode::read_only);
  const auto record = store.load(store.runs(store.studies().at(0)).at(0).plan.hash);
  ASSERT_TRUE(record.has_value());
  const auto split = store.split(record->split_hash);
  ASSERT_TRUE(split.has_value());
  EXPECT_THAT(split->tasks.at(0).classes,
              testing::ElementsAre("box, \"big\"", "doll's house", "old_radio"));
  EXPECT_THAT(split->tasks.at(1).classes, testing::ElementsAre("cup & saucer", "old_radio"));
  EXPECT_EQ(split->tasks.at(1).n_train, 4);
}

TEST(DatasetsHelp, TeachesEachAction) {
  for (const char* action : {"list", "check", "split", "fingerprint"}) {
    const Output help = run_petlab({"datasets", action, "--help"}, fs::temp_directory_path());
    EXPECT_EQ(help.exit_code, 0) << action;
    EXPECT_THAT(help.out, HasSubstr("Examples:")) << action;
  }
  const Output list = run_petlab({"datasets", "list"}, fs::temp_directory_path());
  for (const char* name :
       {"icon-home",     "office-home", "domainnet",     "mini-domainnet",  "domainnet-126",
        "pacs",          "office31",    "vlcs",          "terra-incognita", "imagenet",
        "caltech101",    "oxford-pets", "stanford-cars", "flowers102",      "food101",
        "fgvc-aircraft", "sun397",      "dtd",           "eurosat",         "ucf101",
        "coop-split",    "parquet",     "webdataset",    "folder",          "csv"})
    EXPECT_THAT(list.out, HasSubstr(std::string(name) + "\n  what"));
  EXPECT_THAT(list.out, Not(HasSubstr("http")));
}

}  // namespace
}  // namespace petlab::tests
