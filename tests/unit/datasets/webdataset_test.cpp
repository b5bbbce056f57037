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

TEST_F(WebDataset, ALabelThatTwoMembersSayIsOne) {
  const std::string picture = png(1);
  const auto both = [&](const std::string& cls, const std::string& label) {
    tar("one.tar", {{"1.png", picture}, {"1.cls", cls}, {"1.json", "{\"label\": " + label + "}"}});
    try {
      (void)load("one.tar");
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(both("cat", "\"dog\""),
              HasSubstr("one.tar: 1.cls says the label 'cat', and 1.json beside it 'dog'"));
  EXPECT_THAT(both("0", "1"), HasSubstr("1.cls says the label '0', and 1.json beside it '1'"));
  EXPECT_THAT(both("0", "\"1\""), HasSubstr("beside it '1'"));
  for (const auto& [cls, label] : {std::pair{"cat", "\"cat\""},
                                   {"alarm_clock", "\"alarm clock\""},
                                   {"2\n", "2"},
                                   {"2", "\"2\""},
                                   {"2", "\"bowl\""},  // nothing says what 2 is called
                                   {"2", "null"},
                                   {"2", "[0, 2]"}})
    EXPECT_EQ(both(cls, label), "") << cls << " " << label;
  write("classnames.txt", "mug\nbowl\n0\n");
  EXPECT_EQ(both("1", "\"bowl\""), "");
  EXPECT_EQ(both("1", "1"), "");
  EXPECT_EQ(both("2", "\"0\""), "") << "the class that is called so";
  EXPECT_THAT(both("0", "\"bowl\""), HasSubstr("'0', and 1.json beside it 'bowl'"));
  EXPECT_THAT(both("0", "\"cup\""), HasSubstr("beside it 'cup'"));
  EXPECT_EQ(with({{"1.png", picture}, {"1.json", R"({"label": "cat", "label": "dog"})"}}),
            (root() / "one.tar").string() + ": 1.json has the key 'label' twice in one object");
}

TEST_F(WebDataset, AShardThatIsMissingIsNamed) {
  const auto of = [&](const std::vector<std::string>& names) {
    fs::remove_all(root() / "some");
    for (std::size_t i = 0; i < names.size(); ++i)
      tar("some/" + names[i], {{std::to_string(i) + ".png", png(static_cast<unsigned>(i))},
                               {std::to_string(i) + ".cls", "0"}});
    try {
      (void)load("some");
    } catch (const base::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(of({"train-000.tar", "train-002.tar"}),
            "folder " + (root() / "some").string() +
                " holds train-002.tar but not train-001.tar: fetch the file that is missing; a "
                "file that is given as the root is read alone");
  EXPECT_THAT(of({"1.tar", "2.tar", "4.tar"}), HasSubstr("holds 4.tar but not 3.tar"));
  EXPECT_THAT(of({"a-00001-of-00003.tar", "a-00000-of-00003.tar"}),
              HasSubstr("but not a-00002-of-00003.tar"));
  EXPECT_THAT(of({"a-1-of-3.tar", "a-3-of-3.tar"}), HasSubstr("but not a-2-of-3.tar"));
  EXPECT_THAT(of({"a-0-of-2.tar", "a-1-of-2.tar", "a-0-of-1.tar"}),
              AllOf(HasSubstr("is one of 2 files"), HasSubstr("a-0-of-1.tar")));
  EXPECT_THAT(of({"a-0-of-2.tar", "a-1-of-2.tar", "a-2-of-2.tar"}), HasSubstr("one file more"));
  EXPECT_THAT(of({"a-0-of-2.tar", "a-5-of-2.tar"}), HasSubstr("is not one of its 2 files"));
  EXPECT_THAT(of({"a-0-of-2.tar", "a-00-of-2.tar"}), HasSubstr("has the number of"));
  for (const std::vector<std::string>& whole : std::vector<std::vector<std::string>>{
           {"train-000.tar", "train-001.tar", "test-000.tar"},
           {"1.tar", "2.tar", "3.tar"},
           {"train/0.tar", "train/1.tar", "test/0.tar"},
           {"images-2019.tar", "images-2021.tar"},
           {"n01440764.tar", "n01443537.tar"},
           {"a.tar", "b.tar"},
           {"a-1-of-2.tar", "a-2-of-2.tar"},
           {"a-0-of-2.tar", "a-1-of-2.tar", "b-0-of-1.tar", "x/a-0-of-1.tar"}})
    EXPECT_EQ(of(whole), "") << whole.front();
}

TEST_F(WebDataset, ShardsThatCannotBeReadAsTheyAreAreNamed) {
  tar("set/train-000.tar", {{"1.png", png(1)}, {"1.cls", "0"}});
  const auto beside = [&](const std::string& name) {
    const fs::path file = write("set/" + name, "bytes");
    const std::string error = error_of([&] { (void)load(); });
    fs::remove(file);
    return error;
  };
  for (const char* name : {"train-001.tar.gz", "train-001.TAR.GZ", "train-001.tgz",
                           "train-001.tar.zst", "train-001.tar.bz2", "train-001.tar.xz"})
    EXPECT_THAT(beside(name), AllOf(HasSubstr(name), HasSubstr("is compressed"))) << name;
  for (const char* name : {"train-001.tar.part", "train-001.tar.tmp", "train-001.tar.crdownload"})
    EXPECT_THAT(beside(name), AllOf(HasSubstr(name), HasSubstr("download that was not finished")))
        << name;
  // What else lies beside shards is no shard.
  for (const char* name : {"train-000.tar.md5", "train-000.idx", "notes.gz", "sizes.json.part"})
    write(std::string("set/") + name, "bytes");
  EXPECT_EQ(load().domains.at(0).samples.size(), 1U);
}

TEST_F(WebDataset, TarFilesThatWereJoinedAreRefused) {
  const fs::path first = tar("a.tar", {{"a/", ""}, {"a/1.png", png(1)}, {"a/1.cls", "0"}});
  const fs::path second = tar("b.tar", {{"2.png", png(2)}, {"2.cls", "0"}});
  write("one.tar", text_of(first) + text_of(second));
  EXPECT_EQ(error_of([&] { (void)load("one.tar"); }),
            (root() / "one.tar").string() +
                " goes on behind the end of the tar file, as two that were joined do: expected one "
                "tar file");
  write("one.tar", text_of(first) + std::string(512, 'x') + std::string(1024, '\0'));
  EXPECT_THAT(error_of([&] { (void)load("one.tar"); }), HasSubstr("goes on behind the end"));
  write("one.tar", text_of(first) + std::string(10240, '\0'));
  EXPECT_EQ(load("one.tar").domains.at(0).samples.size(), 1U) << "zeros say nothing";
  for (const int format :
       {ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FORMAT_TAR_GNUTAR}) {
    // Folders behind the last file, and names that need headers of their own.
    const std::string name(format == ARCHIVE_FORMAT_TAR_USTAR ? 90 : 200, 'n');
    tar("one.tar", {{name + ".png", png(1)}, {name + ".cls", "0"}, {name + "/", ""}, {"z/", ""}},
        format);
    EXPECT_EQ(load("one.tar").domains.at(0).samples.size(), 1U) << format;
  }
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
