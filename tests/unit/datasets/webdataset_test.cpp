// Tar shards as WebDataset writes them.
#include "petlab/datasets/image_cache.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/datasets/stored_picture.hpp"
#include "petlab/datasets/tools/check.hpp"
#include "tar_file.hpp"
#include "test_support.hpp"

#include <ATen/ATen.h>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class WebDataset : public TemporaryFolder {
 protected:
  fs::path tar(const std::string& name, const TarMembers& members,
               int format = ARCHIVE_FORMAT_TAR_USTAR) const {
    const fs::path file = root() / name;
    fs::create_directories(file.parent_path());
    write_tar(file, members, format);
    return file;
  }
  [[nodiscard]] static std::string png(unsigned seed) {
    const auto bytes = encode_png(pattern(20 + static_cast<int>(seed), 18, seed));
    return {bytes.begin(), bytes.end()};
  }
  void put_set() const {
    write("set/classnames.txt", "mug\nalarm_clock\n");
    tar("set/train/0.tar", {{"a/", ""},
                            {"a/1.png", png(1)},
                            {"a/1.cls", "1\n"},
                            {"a/2.cls", "0"},
                            {"a/2.png", png(2)}});
    tar("set/train/1.tar", {{"./a/1.PNG", png(3)}, {"./a/1.cls", "1"}, {"./a/1.txt", "a clock"}},
        ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE);
    tar("set/test/0.tar", {{"b.json", R"({"label": 0, "domain": null})"}, {"b.png", png(4)}},
        ARCHIVE_FORMAT_TAR_GNUTAR);
  }
  [[nodiscard]] Dataset load(const fs::path& folder = "set") const {
    return open_dataset({.name = "webdataset", .root = root() / folder});
  }
  /// The error for one shard.
  [[nodiscard]] std::string with(const TarMembers& members) const {
    tar("one.tar", members);
    return error_of([&] { (void)load("one.tar"); });
  }
};

TEST_F(WebDataset, ShardsGiveClassesPartsAndTheBytesOfTheImages) {
  put_set();
  EXPECT_EQ(guess_dataset(root() / "set"), "webdataset");
  const Dataset dataset = load();
  ASSERT_EQ(dataset.domains.size(), 1U);
  EXPECT_EQ(dataset.domains[0].name, "set");
  EXPECT_THAT(dataset.classes, ElementsAre("mug", "alarm_clock"))
      << "in the order of classnames.txt";
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("left out: 1 member of shards")));
  std::vector<std::string> ids;
  for (const Sample& sample : dataset.domains[0].samples)
    ids.push_back(sample.id);
  EXPECT_THAT(
      ids, ElementsAre("set/alarm_clock/1.PNG", "set/alarm_clock/1.png", "set/mug/2", "set/mug/b"));
  const Sample& second = dataset.domains[0].samples[1];
  const auto bytes = read_picture(second);
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), png(1));
  EXPECT_EQ(picture_name(second), (root() / "set/train/0.tar").string() + ": a/1.png");
  const Split split = own_split(dataset);
  EXPECT_THAT(split.train, ElementsAre(ElementsAre(0, 1, 2)));
  EXPECT_THAT(split.test, ElementsAre(ElementsAre(3)));
  const tools::CheckReport report = tools::check_dataset(dataset, split);
  EXPECT_EQ(report.fingerprint, dataset.fingerprint);
  EXPECT_TRUE(report.unreadable.empty());
}

TEST_F(WebDataset, IsTheDataSetThatItsImagesInFoldersAre) {
  for (int i = 0; i < 6; ++i)
    write("in_folders/art/" + std::string(i % 2 == 0 ? "bowl" : "mug") + "/" + std::to_string(i) +
              ".png",
          png(static_cast<unsigned>(i)));
  TarMembers members;
  for (int i = 5; i >= 0; --i) {
    members.emplace_back(std::to_string(i) + ".png", png(static_cast<unsigned>(i)));
    members.emplace_back(
        std::to_string(i) + ".json",
        std::string(R"({"domain": "art", "label": ")") + (i % 2 == 0 ? "bowl" : "mug") + "\"}");
  }
  tar("art.tar", members);
  const Dataset folders = load_folder(root() / "in_folders");
  const Dataset shard = load("art.tar");
  EXPECT_EQ(shard.fingerprint, folders.fingerprint);
  const ImageCache expected(folders, 16, {.directory = root() / "a"});
  const ImageCache cache(shard, 16, {.directory = root() / "b"});
  EXPECT_TRUE(cache.built_now());
  EXPECT_TRUE(at::equal(cache.images(0), expected.images(0)));
}

TEST_F(WebDataset, WhatIsDecodedIsWhatWasHashed) {
  tar("one.tar", {{"1.png", png(1)}, {"1.cls", "0"}});
  const Dataset dataset = load("one.tar");
  const std::string other = png(1);
  tar("one.tar", {{"1.png", other.substr(0, other.size() - 1) + "x"}, {"1.cls", "0"}});
  EXPECT_THAT(error_of([&] { const ImageCache cache(dataset, 16, {.directory = root() / "c"}); }),
              HasSubstr("one.tar: 1.png changed while petlab was at work"));
  fs::resize_file(root() / "one.tar", 600);
  EXPECT_THAT(error_of([&] { (void)read_picture(dataset.domains[0].samples[0]); }),
              HasSubstr("cannot be read any more"));
}

TEST_F(WebDataset, MembersThatCannotBePairedAreNamed) {
  const std::string picture = png(1);
  EXPECT_THAT(with({{"a/1.png", picture}, {"a/2.cls", "0"}}),
              AllOf(HasSubstr("one.tar: image a/1.png has no label"), HasSubstr("a/1.cls")));
  EXPECT_THAT(with({{"a/2.cls", "0"}}), HasSubstr("label a/2.cls has no image"));
  EXPECT_THAT(with({{"1.png", picture}, {"1.jpg", picture}, {"1.cls", "0"}}),
              HasSubstr("members 1.png and 1.jpg are both the image"));
  EXPECT_THAT(with({{"1.png", picture}, {"1.json", R"({"caption": "x"})"}}),
              HasSubstr("1.json has no \"label\""));
  EXPECT_THAT(with({{"1.png", picture}, {"1.json", "[1"}}),
              HasSubstr("one.tar: 1.json is not valid JSON at byte 2 of 2"));
  EXPECT_THAT(with({{"1.png", picture}, {"1.json", "[1]"}}), HasSubstr("1.json is no JSON object"));
  EXPECT_THAT(with({{"1.png", picture}, {"1.cls", "0"}, {"1.json", R"({"domain": "art)"}}),
              HasSubstr("1.json is not valid JSON"))
      << "its domain would be lost";
  EXPECT_THAT(with({{"1.png", picture}, {"1.cls", " "}}), HasSubstr("1.cls is empty"));
  EXPECT_THAT(with({{"1.png", picture}, {"1.cls", "0"}, {"2.png", picture}, {"2.cls", "mug"}}),
              HasSubstr("2.cls: the label is a name"));
  EXPECT_THAT(with({{"1.png", picture}, {"1.cls", "-1"}}), HasSubstr("label -1 is below 0"));
  EXPECT_THAT(with({{"1.txt", "no image"}}), HasSubstr("without an image"));
  write("classnames.txt", "mug\nbowl\n");
  EXPECT_THAT(with({{"1.png", picture}, {"1.cls", "2"}}),
              HasSubstr("1.cls: label 2 is outside of 0..1, the 2 classes of classnames.txt"));
  write("classnames.txt", "mug\nmug\n");
  EXPECT_THAT(with({{"1.png", picture}, {"1.cls", "0"}}),
              HasSubstr("classnames.txt line 2: class 'mug' stands already in line 1"));
}

TEST_F(WebDataset, BadShardsAreRefused) {
  const std::string picture = png(1);
  for (const char* path : {"../1.png", "/1.png", "a/../../1.png"})
    EXPECT_THAT(with({{path, picture}}), HasSubstr("leads out of the folder")) << path;
  EXPECT_THAT(with({{"1.png", "->other.png"}}), HasSubstr("'1.png' is a link"));
  EXPECT_THAT(with({{"1.png", picture}, {"1.png", picture}}), HasSubstr("'1.png' is there twice"));
  const auto load_one = [&] { return error_of([&] { (void)load("one.tar"); }); };
  tar("one.tar", {{"1.cls", "0"}, {"1.png", std::string(5000, 'x')}});
  const std::string whole = text_of(root() / "one.tar");
  for (const std::size_t length : {100U, 700U, 1200U, 1536U + 3000U, 1536U + 5120U}) {
    write("one.tar", std::string_view(whole).substr(0, length));
    EXPECT_THAT(load_one(),
                ::testing::AnyOf(HasSubstr("is cut short"), HasSubstr("is no tar file")))
        << length;
  }
  write("one.tar", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  EXPECT_THAT(load_one(), HasSubstr("is a pointer of Git LFS"));
  write("one.tar", std::string_view("\x1F\x8B\x08rest", 7));
  EXPECT_THAT(load_one(), HasSubstr("is compressed"));
  write("one.tar", "");
  EXPECT_THAT(load_one(), HasSubstr("is empty"));
  write("one.tar", "text, long enough to be looked at as one or the other thing");
  EXPECT_THAT(load_one(), HasSubstr("is no tar file"));
  fs::create_directories(root() / "none");
  EXPECT_THAT(error_of([&] { (void)load("none"); }), HasSubstr("holds no .tar file"));
}

}  // namespace
}  // namespace petlab::datasets
