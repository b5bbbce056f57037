#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "test_support.hpp"

#include <algorithm>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Trees whose files are pictures by name only: loading opens none.
class FolderLayout : public TemporaryFolder {
 protected:
  void put(const std::string& folder, int count = 2) const {
    for (int i = 1; i <= count; ++i)
      write("set/" + folder + "/" + std::to_string(i) + ".jpg", folder + std::to_string(i));
  }
  [[nodiscard]] fs::path set() const { return root() / "set"; }
  [[nodiscard]] Dataset load(const fs::path& folder) const {
    return load_folder(folder, {.fingerprint = false});
  }
  [[nodiscard]] std::string error(const fs::path& folder) const {
    return error_of([&] { (void)load(folder); });
  }
};

TEST_F(FolderLayout, DomainsAndClasses) {
  put("Art/mug");
  put("Art/bed");
  put("Photo/mug");
  const Dataset dataset = load(set());
  EXPECT_EQ(dataset.domains.size(), 2U);
  EXPECT_EQ(sample_count(dataset), 6U);
  EXPECT_TRUE(dataset.notes.empty());
}

TEST_F(FolderLayout, ClassesAloneAreOneDomain) {
  put("mug");
  put("bed");
  const Dataset dataset = load(set());
  ASSERT_EQ(dataset.domains.size(), 1U);
  EXPECT_EQ(dataset.domains[0].name, "set");
  EXPECT_THAT(dataset.classes, ElementsAre("bed", "mug"));
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("one domain, 'set'")));
}

TEST_F(FolderLayout, OneFolderAroundIsLookedThrough) {
  put("archive/Art/mug");
  put("archive/Photo/mug");
  const Dataset dataset = load(set());
  EXPECT_EQ(dataset.domains.size(), 2U);
  EXPECT_EQ(dataset.domains[0].samples[0].id, "Art/mug/1");
  EXPECT_THAT(dataset.notes, ElementsAre(HasSubstr("the only folder of")));
}

TEST_F(FolderLayout, TrainAndTestFoldersAreASplit) {
  for (const std::string layout : {"train/mug", "train/bed", "test/mug", "test/bed", "val/mug"})
    put(layout);
  const Dataset dataset = load(set());
  ASSERT_EQ(dataset.domains.size(), 1U);
  EXPECT_EQ(dataset.domains[0].samples.size(), 10U);
  const Split split = own_split(dataset);
  EXPECT_EQ(split.train[0].size(), 4U);
  EXPECT_EQ(split.validation[0].size(), 2U);
  EXPECT_EQ(split.test[0].size(), 4U);
}

TEST_F(FolderLayout, TrainAndTestFoldersOfDomains) {
  for (const std::string domain : {"Art", "Photo"})
    for (const std::string part : {"train", "test"})
      put("below/" + domain + "/" + part + "/mug");
  for (const std::string domain : {"Art", "Photo"})
    for (const std::string part : {"train", "test"})
      put("above/" + part + "/" + domain + "/mug");
  const Dataset below = load(set() / "below");
  const Dataset above = load(set() / "above");
  ASSERT_EQ(below.domains.size(), 2U);
  ASSERT_EQ(above.domains.size(), 2U);
  EXPECT_EQ(own_split(below).train[1].size(), 2U);
  EXPECT_EQ(own_split(above).test[0].size(), 2U);
}

TEST_F(FolderLayout, WhatSystemsLeaveBehindIsSkipped) {
  put("Art/mug");
  put("Photo/mug");
  for (const std::string file :
       {"__MACOSX/Art/mug/._1.jpg", ".git/x.jpg", "Art/.DS_Store", "Art/mug/Thumbs.db",
        "Art/mug/desktop.ini", "Art/readme.txt", "Art/@eaDir/mug/1.jpg", "list.txt"})
    write("set/" + file, "x");
  EXPECT_EQ(sample_count(load(set())), 4U);
}

TEST_F(FolderLayout, AnyNameThatIsTextIsFine) {
  const std::string name = "Mug's, \"big\" & small é 杯";
  put("Real World/" + name);
  put("L'Art/" + name);
  write("set/L'Art/" + name + "/two\nlines.jpg", "a");
  write("set/L'Art/" + name + "/caf\xE9.jpg", "b");
  const Dataset dataset = load(set());
  EXPECT_THAT(dataset.classes, ElementsAre(name));
  const auto& samples = dataset.domains[0].samples;
  EXPECT_EQ(samples[2].id, "L'Art/" + name + "/caf\\xE9");
  EXPECT_EQ(samples[3].id, "L'Art/" + name + "/two\\x0Alines");
  const Split split = make_split(dataset, 0.5, 1);
  write_split(root() / "split.csv", dataset, split);
  EXPECT_EQ(read_split(root() / "split.csv", dataset).hash, split.hash);
}

TEST_F(FolderLayout, ClassesInOneDomainOnlyAreAllowed) {
  put("Art/mug");
  put("Art/bed");
  put("Photo/kettle");
  const Dataset dataset = load(set());
  EXPECT_THAT(dataset.domains[0].classes, ElementsAre(0, 2));
  EXPECT_THAT(dataset.domains[1].classes, ElementsAre(1));
}

TEST_F(FolderLayout, NamesThatAreNoTextAreRefused) {
  put("Art/caf\xE9");
  put("Photo/mug");
  EXPECT_THAT(error(set()), AllOf(HasSubstr("class 'caf\\xE9' of "), HasSubstr("is no text")));
  fs::rename(set() / "Art/caf\xE9", set() / "Art/two\nlines");
  EXPECT_THAT(error(set()), HasSubstr("class 'two\\x0Alines' of "));
}

TEST_F(FolderLayout, LinksInACircleAreRefused) {
  put("Art/mug");
  fs::create_directory_symlink(set(), set() / "Art/up");
  EXPECT_THAT(error(set()), AllOf(HasSubstr("symbolic link " + (set() / "Art/up").string()),
                                  HasSubstr("which it lies in")));
  fs::remove(set() / "Art/up");
  fs::create_symlink("self", set() / "Art/self");
  EXPECT_THAT(error(set()), HasSubstr("Art/self leads back to itself"));
  fs::remove(set() / "Art/self");
  fs::create_directory_symlink(set() / "Art", set() / "Copy");
  EXPECT_EQ(load(set()).domains.size(), 2U) << "a link to a folder elsewhere is a folder";
}

TEST_F(FolderLayout, OtherKindsOfFoldersAreNamed) {
  EXPECT_THAT(error(root() / "nowhere"), HasSubstr("nowhere does not exist: expected ROOT/domain"));
  EXPECT_THAT(error(write("file.zip", "x")), HasSubstr("file.zip is a file, no folder"));
  put("one/Art/mug");
  put("one/Photo/mug");
  put("two/Art/mug");
  EXPECT_THAT(error(set()), AllOf(HasSubstr("holds whole data sets ('one', 'two')"),
                                  HasSubstr("perhaps " + (set() / "one").string() + " is meant")));
  put("one/mug");
  EXPECT_THAT(error(set() / "one"),
              HasSubstr("holds classes ('mug') beside folders of classes ('Art', 'Photo')"));
  fs::create_directories(root() / "empty/a");
  EXPECT_THAT(error(root() / "empty"), HasSubstr("holds no image in its folders 'a'"));
}

}  // namespace
}  // namespace petlab::datasets
