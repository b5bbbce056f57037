// Parquet files as the Hugging Face hub has them, written by pyarrow (write_parquet.py).
#include "petlab/datasets/image_cache.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/datasets/stored_picture.hpp"
#include "petlab/datasets/tools/check.hpp"
#include "test_support.hpp"

#include <ATen/ATen.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

bool is_loaded(const std::string& library) {
  return text_of("/proc/self/maps").find(library) != std::string::npos;
}

class Parquet : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    for (unsigned i = 0; i < 6; ++i)
      write("pictures/" + std::to_string(i) + ".png",
            encode_png(pattern(20 + static_cast<int>(i), 18, i)));
    if (!kIsBuilt) GTEST_SKIP() << "built without Parquet";
    const std::string command = PETLAB_SOURCE_DIR "/.venv/bin/python " PETLAB_SOURCE_DIR
                                                  "/tests/unit/datasets/write_parquet.py " +
                                (root() / "pictures").string() + " " + (root() / "out").string();
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  [[nodiscard]] Dataset load(const fs::path& folder) const {
    return open_dataset({.name = "parquet", .root = root() / "out" / folder});
  }
  [[nodiscard]] std::string error(const fs::path& folder) const {
    return error_of([&] { (void)load(folder); });
  }
  static std::vector<std::string> ids_of(const Domain& domain) {
    std::vector<std::string> ids;
    for (const Sample& sample : domain.samples)
      ids.push_back(sample.id);
    return ids;
  }
  static constexpr bool kIsBuilt = PETLAB_HAS_PARQUET != 0;
};

/// Runs in both builds: what is said without the library, and that nothing loads it before.
class ParquetAtAll : public TemporaryFolder {};

TEST_F(ParquetAtAll, IsSaidToBeMissingWhereItIs) {
  EXPECT_FALSE(is_loaded("libarrow.so")) << "no Parquet file was opened";
  write("set/train.parquet", "PAR1 of no use PAR1");
  const std::string error =
      error_of([&] { (void)open_dataset({.name = "parquet", .root = root() / "set"}); });
  EXPECT_THAT(error, HasSubstr(PETLAB_HAS_PARQUET != 0 ? "train.parquet is no whole Parquet file: "
                                                       : "built without Parquet: install pyarrow"));
  EXPECT_EQ(is_loaded("libarrow.so"), PETLAB_HAS_PARQUET != 0);
}

TEST_F(ParquetAtAll, AFileThatIsMissingIsNamed) {
  const auto of = [&](const std::vector<std::string>& names) {
    std::filesystem::remove_all(root() / "set");
    for (const std::string& name : names)
      write("set/data/" + name, "PAR1 of no use PAR1");
    return error_of([&] { (void)open_dataset({.name = "parquet", .root = root() / "set"}); });
  };
  EXPECT_THAT(of({"train-00000-of-00002.parquet"}),
              HasSubstr("holds train-00000-of-00002.parquet but not train-00001-of-00002.parquet"));
  EXPECT_THAT(of({"train-00000-of-00003.parquet", "train-00002-of-00003.parquet",
                  "test-00000-of-00001.parquet"}),
              HasSubstr("but not train-00001-of-00003.parquet"));
  EXPECT_THAT(of({"train-00001-of-00002-0123abcd.parquet"}),
              HasSubstr("but not train-00000-of-00002*.parquet"))
      << "the hash of another file is not known";
  EXPECT_THAT(of({"train-00000-of-00002.parquet", "train-00001-of-00002.parquet",
                  "train-00000-of-00001.parquet"}),
              HasSubstr("is one of 2 files"));
  EXPECT_THAT(of({"train-00000-of-00002-aaaa.parquet", "train-00000-of-00002-bbbb.parquet"}),
              HasSubstr("has the number of train-00000-of-00002-aaaa.parquet beside it"));
  EXPECT_THAT(of({"0000.parquet", "0002.parquet"}), HasSubstr("but not 0001.parquet"));
  EXPECT_THAT(of({"0000.parquet", "0001.parquet.crdownload"}),
              HasSubstr("0001.parquet.crdownload is a download that was not finished"));
  // One that is named by itself is meant by itself.
  const auto file = write("set/train-00000-of-00002.parquet", "PAR1 of no use PAR1");
  EXPECT_THAT(error_of([&] { (void)open_dataset({.name = "parquet", .root = file}); }),
              ::testing::Not(HasSubstr("but not")));
}

TEST_F(Parquet, HubsFilesGiveClassesDomainsAndParts) {
  EXPECT_EQ(guess_dataset(root() / "out/hub"), "parquet");
  const Dataset dataset = load("hub");
  EXPECT_THAT(dataset.classes, ElementsAre("mug", "alarm clock", "bowl")) << "as they are numbered";
  ASSERT_EQ(dataset.domains.size(), 2U);
  EXPECT_EQ(dataset.domains[0].name, "Art");
  EXPECT_THAT(ids_of(dataset.domains[0]),
              ElementsAre("Art/alarm clock/3", "Art/bowl/2", "Art/mug/4"));
  EXPECT_THAT(dataset.domains[0].classes, ElementsAre(0, 1, 2));
  EXPECT_THAT(dataset.domains[1].classes, ElementsAre(0, 1));
  const Split split = own_split(dataset);
  EXPECT_THAT(split.train, ElementsAre(ElementsAre(0, 1), ElementsAre(0, 1)));
  EXPECT_THAT(split.test, ElementsAre(ElementsAre(2), ElementsAre(2)));
  for (const Domain& domain : dataset.domains)
    for (const Sample& sample : domain.samples) {
      const auto bytes = read_picture(sample);
      EXPECT_EQ(std::string(bytes.begin(), bytes.end()),
                text_of(root() / "pictures" / sample.place.name))
          << picture_name(sample);
    }
  const tools::CheckReport report = tools::check_dataset(dataset, split);
  EXPECT_EQ(report.fingerprint, dataset.fingerprint);
  EXPECT_TRUE(report.unreadable.empty());
  const Dataset one =
      open_dataset({.name = "parquet", .root = root() / "out/hub", .domains = {"photo"}});
  EXPECT_EQ(one.domains.at(0).samples.size(), 3U);
}

TEST_F(Parquet, NumbersOfDomainsAndRowsWithoutNamesAreRead) {
  const Dataset dataset = load("numbered");
  ASSERT_EQ(dataset.domains.size(), 2U);
  EXPECT_THAT(ids_of(dataset.domains[0]), ElementsAre("ink/mug/0000-1"));
  EXPECT_THAT(ids_of(dataset.domains[1]), ElementsAre("oil/bowl/0000-0"));
  EXPECT_EQ(dataset.domains[0].samples[0].part, Part::validation) << "by the folder's name";
}

TEST_F(Parquet, IsTheDataSetThatItsImagesInFoldersAre) {
  for (int i = 0; i < 6; ++i)
    fs::create_directories(root() / "folders" / (i < 3 ? "art" : "ink") / (i % 2 ? "bowl" : "mug"));
  for (int i = 0; i < 6; ++i) {
    const std::string name = std::to_string(i) + ".png";
    fs::copy_file(root() / "pictures" / name,
                  root() / "folders" / (i < 3 ? "art" : "ink") / (i % 2 ? "bowl" : "mug") / name);
  }
  const Dataset folders = load_folder(root() / "folders");
  const Dataset rows = load("texts");
  EXPECT_EQ(rows.fingerprint, folders.fingerprint);
  EXPECT_EQ(load("texts/part.parquet").fingerprint, folders.fingerprint) << "the file alone";
  const ImageCache expected(folders, 16, {.directory = root() / "a"});
  const ImageCache cache(rows, 16, {.directory = root() / "b", .threads = 3});
  EXPECT_TRUE(cache.built_now());
  for (std::size_t d = 0; d < 2; ++d)
    EXPECT_TRUE(at::equal(cache.images(d), expected.images(d)));
}

TEST_F(Parquet, DomainsMayBeFiles) {
  const Dataset dataset = load("by_file");
  ASSERT_EQ(dataset.domains.size(), 2U);
  EXPECT_EQ(dataset.domains[0].name, "Art");
  EXPECT_EQ(dataset.domains[1].name, "Clipart");
  const Dataset plain = load("plain_bytes");
  EXPECT_EQ(plain.domains.at(0).name, "plain_bytes");
  EXPECT_THAT(plain.classes, ElementsAre("mug"));
}

TEST_F(Parquet, WhatIsDecodedIsWhatWasHashed) {
  const Dataset dataset = load("texts");
  fs::copy_file(root() / "out/hub/data/train-00001-of-00002-0123abcd.parquet",
                root() / "out/texts/part.parquet", fs::copy_options::overwrite_existing);
  EXPECT_THAT(error_of([&] { const ImageCache cache(dataset, 16, {.directory = root() / "c"}); }),
              ::testing::AnyOf(HasSubstr("part.parquet: row 0 changed while petlab was at work"),
                               HasSubstr("is not there any more")));
}

TEST_F(Parquet, RowsThatDoNotFitAreNamed) {
  EXPECT_THAT(error("out_of_range"),
              AllOf(HasSubstr("train-00000-of-00001.parquet: row 1: label 3 is outside of 0..2"),
                    HasSubstr("3 classes that the metadata names")));
  EXPECT_THAT(error("unlabelled"), HasSubstr("row 0: label -1 is outside of 0..2"));
  EXPECT_THAT(error("null_label"), HasSubstr("row 1 has no label"));
  EXPECT_THAT(error("no_bytes"), AllOf(HasSubstr("row 1 has no bytes of its image"),
                                       HasSubstr("only its name '1.png'")));
  EXPECT_THAT(error("null_image"), HasSubstr("row 1 has no bytes of its image"));
  EXPECT_THAT(
      error("no_names"),
      HasSubstr("column 'label' holds numbers, and the metadata 'huggingface' does not say"));
  EXPECT_THAT(error("double_names"), HasSubstr("names class 'mug' of column 'label' twice"));
  EXPECT_THAT(error("empty_names"), HasSubstr("no names of the classes of column 'label'"));
  EXPECT_THAT(error("deep_metadata"),
              HasSubstr("metadata 'huggingface' is JSON that nests deeper than 100 levels"));
  EXPECT_THAT(error("double_key"),
              HasSubstr("metadata 'huggingface' has the key 'names' twice in one object"));
  EXPECT_THAT(error("two_labels"), HasSubstr("several columns of labels (coarse, fine)"));
  EXPECT_THAT(error("float_label"), HasSubstr("column 'label' holds no numbers and no text"));
  EXPECT_THAT(error("no_rows"), HasSubstr("without a row"));
  EXPECT_THAT(error("no_image"), HasSubstr("has no column of images"));
  EXPECT_THAT(error("no_label"),
              HasSubstr("has no column of labels, only image.bytes, image.path"));
  EXPECT_THAT(error("other_names"), HasSubstr("has other names of classes than"));
  fs::create_directories(root() / "out/none");
  EXPECT_THAT(error("none"), HasSubstr("holds no .parquet file"));
}

TEST_F(Parquet, DamagedFilesAreRefused) {
  const fs::path file = root() / "out/texts/part.parquet";
  const std::string whole = text_of(file);
  const auto with = [&](const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
    return error("texts");
  };
  for (const std::size_t length : {whole.size() - 1, whole.size() / 2, std::size_t{8}})
    EXPECT_THAT(with(whole.substr(0, length)), HasSubstr("part.parquet is cut short")) << length;
  EXPECT_THAT(with("version https://git-lfs.github.com/spec/v1\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(with(""), HasSubstr("is no Parquet file: it is empty"));
  EXPECT_THAT(with("text"), HasSubstr("is no Parquet file"));
  EXPECT_THAT(with(whole.substr(0, 200) + whole.substr(whole.size() - 8)),
              HasSubstr("is no whole Parquet file"));
  // Any bytes: one sentence, or a data set.
  for (std::size_t i = 4; i < whole.size() - 4; i += whole.size() / 150) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x5A);
    std::ofstream(file, std::ios::binary) << changed;
    try {
      (void)load("texts");
    } catch (const base::Error& error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << i;
    }
  }
}

}  // namespace
}  // namespace petlab::datasets
