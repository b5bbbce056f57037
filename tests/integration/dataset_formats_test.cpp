// Data sets as people have them today, through the whole program.
#include "petlab/datasets/image.hpp"
#include "petlab/results/run_store.hpp"
#include "program.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class DatasetFormats : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("petlab_formats_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    std::mt19937 random(5);
    for (int i = 0; i < 12; ++i) {
      datasets::Image image{24, 20 + i, {}};
      for (int byte = 0; byte < image.width * image.height * 3; ++byte)
        image.rgb.push_back(static_cast<std::uint8_t>(random()));
      const auto bytes = datasets::encode_png(image);
      pictures_.emplace_back(bytes.begin(), bytes.end());
    }
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file, std::ios::binary) << text;
  }
  [[nodiscard]] Output petlab(const std::vector<std::string>& arguments) const {
    return run_petlab(arguments, folder_);
  }
  /// Zero-shot on the data set's own split; the record of the one run.
  [[nodiscard]] results::RunRecord run(const std::string& name, const std::string& root) const {
    const Output output =
        petlab({"run", PETLAB_SOURCE_DIR "/harness/protocols/office_home_zero_shot.ini",
                "--backbone", PETLAB_SOURCE_DIR "/harness/backbones/petlab-icon-clip", "--dataset",
                name, "--dataset-root", root, "--cache-dir", "cache", "--split", "list",
                "--split-list", "own", "--store", name + ".sqlite", "--threads", "1"});
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
    const results::RunStore store(folder_ / (name + ".sqlite"), results::OpenMode::read_only);
    return store.load(store.runs(store.studies().at(0)).at(0).plan.hash).value();
  }
  fs::path folder_;
  std::vector<std::string> pictures_;
};

TEST_F(DatasetFormats, SplitsOfCoopAreCheckedAndRun) {
  std::string parts[3];
  for (std::size_t i = 0; i < pictures_.size(); ++i) {
    const std::string name = "image_" + std::to_string(i) + ".png";
    write("oxford_flowers/jpg/" + name, pictures_[i]);
    parts[i % 3] += std::string(parts[i % 3].empty() ? "" : ", ") + "[\"" + name + "\", " +
                    (i < 6 ? "0, \"pink primrose\"]" : "1, \"english marigold\"]");
  }
  write(
      "oxford_flowers/split_zhou_OxfordFlowers.json",
      "{\"train\": [" + parts[0] + "], \"val\": [" + parts[1] + "], \"test\": [" + parts[2] + "]}");
  const Output check = petlab({"datasets", "check", "oxford_flowers"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_THAT(check.err, HasSubstr("taken as data set flowers102"));
  EXPECT_THAT(check.out, AllOf(HasSubstr("12 images, 2 classes, 1 domains"),
                               HasSubstr("a photo of a {}, a type of flower."),
                               HasSubstr("4 train (2 to 2 a class), 4 validation, 4 test")));
  const results::RunRecord record = run("flowers102", "oxford_flowers");
  ASSERT_EQ(record.tasks.size(), 1U);
  EXPECT_EQ(record.tasks[0].n_train, 4);
  EXPECT_EQ(record.tasks[0].n_test, 4);
}

TEST_F(DatasetFormats, TarShardsAreCheckedAndRun) {
  for (const char* part : {"train", "test"}) {
    for (std::size_t i = 0; i < 6; ++i) {
      const std::string name = std::string("in/") + part + "/" + std::to_string(i);
      write(name + ".png", pictures_[i + (part[1] == 'e' ? 6 : 0)]);
      write(name + ".cls", std::to_string(i % 2));
    }
    fs::create_directories(folder_ / "set" / part);
    ASSERT_EQ(std::system(("tar -C " + (folder_ / "in" / part).string() + " -cf " +
                           (folder_ / "set" / part / "0.tar").string() + " .")
                              .c_str()),
              0);
  }
  write("set/classnames.txt", "cup\nbowl\n");
  const Output check = petlab({"datasets", "check", "set", "--strict"});
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
  EXPECT_THAT(check.err, HasSubstr("taken as data set webdataset"));
  EXPECT_THAT(check.out, AllOf(HasSubstr("12 images, 2 classes, 1 domains"), HasSubstr("sound: ")));
  EXPECT_EQ(run("webdataset", "set").tasks.at(0).n_test, 6);
  fs::resize_file(folder_ / "set/test/0.tar", 3000);
  const Output cut = petlab({"datasets", "check", "set"});
  EXPECT_EQ(cut.exit_code, 3);
  EXPECT_THAT(cut.err, HasSubstr("0.tar is cut short"));
}

TEST_F(DatasetFormats, ParquetFilesAreCheckedAndRun) {
  if (!fs::exists(PETLAB_BINARY_DIR "/lib/petlab/readers/parquet_reader.so"))
    GTEST_SKIP() << "built without Parquet";
  for (std::size_t i = 0; i < 6; ++i)
    write("pictures/" + std::to_string(i) + ".png", pictures_[i]);
  ASSERT_EQ(std::system((PETLAB_SOURCE_DIR "/.venv/bin/python " PETLAB_SOURCE_DIR
                                           "/tests/unit/datasets/write_parquet.py " +
                         (folder_ / "pictures").string() + " " + (folder_ / "out").string())
                            .c_str()),
            0);
  const Output check = petlab({"datasets", "check", "out/hub"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_THAT(check.out, HasSubstr("6 images, 3 classes, 2 domains"));
  EXPECT_EQ(run("parquet", "out/hub").tasks.size(), 2U);
  const Output bad = petlab({"datasets", "check", "out/no_bytes", "--split", "percent"});
  EXPECT_EQ(bad.exit_code, 3);
  EXPECT_THAT(bad.out + bad.err, HasSubstr("row 1 has no bytes of its image"));
}

}  // namespace
}  // namespace petlab::tests
