#include "petlab/datasets/dataset.hpp"

#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/tools/check.hpp"
#include "test_support.hpp"

#include <sstream>

namespace petlab::datasets {
namespace {

using namespace tools;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FolderDataset : public TemporaryFolder {
 protected:
  /// Office-Home's shape: a domain with a blank, capitals, a class of two words, stray files.
  void make_tree() const {
    unsigned seed = 0;
    for (const std::string domain : {"Art", "Real World"}) {
      for (const std::string class_name : {"TV", "Table", "Alarm_Clock"}) {
        if (domain == "Art" && class_name == "Table") continue;
        for (int i = 1; i <= 3; ++i) {
          write(domain + "/" + class_name + "/0000" + std::to_string(i) + ".jpg",
                encode_jpeg(pattern(20, 16, ++seed), 90));
        }
      }
    }
    write("Real World/TV/00004.PNG", encode_png(pattern(8, 8, 99)));
    write("ImageInfo.csv", "stray");
    write("imagelist.txt", "stray");
    write(".hidden/class/1.jpg", "not a picture");
    write("Art/.DS_Store", "stray");
    write("Art/TV/.00001.jpg", "hidden");
    write("Art/TV/Thumbs.db", "not a picture");
  }
};

TEST_F(FolderDataset, KeysLabelsOnClassNamesInCLocaleOrder) {
  make_tree();
  const Dataset dataset = load_folder(root());
  EXPECT_THAT(dataset.classes, ElementsAre("Alarm_Clock", "TV", "Table"));
  EXPECT_THAT(dataset.display_names, ElementsAre("Alarm Clock", "TV", "Table"));
  ASSERT_EQ(dataset.domains.size(), 2U);
  EXPECT_EQ(dataset.domains[0].name, "Art");
  EXPECT_EQ(dataset.domains[1].name, "Real World");
  EXPECT_THAT(dataset.domains[0].classes, ElementsAre(0, 1)) << "Art has no Table";
  EXPECT_THAT(dataset.domains[1].classes, ElementsAre(0, 1, 2));
  EXPECT_EQ(dataset.domains[0].samples.size(), 6U);
  EXPECT_EQ(dataset.domains[1].samples.size(), 10U);
  EXPECT_EQ(sample_count(dataset), 16U);
  EXPECT_EQ(dataset.domains[1].samples[3].id, "Real World/TV/00001");
  EXPECT_EQ(dataset.domains[1].samples[3].label, 1);
}

TEST_F(FolderDataset, SelectsDomainsByNameInTheOrderAskedFor) {
  make_tree();
  FolderOptions options;
  options.domains = {"real_world", "art"};
  const Dataset dataset = load_folder(root(), options);
  ASSERT_EQ(dataset.domains.size(), 2U);
  EXPECT_EQ(dataset.domains[0].name, "Real World");
  options.domains = {"Product"};
  EXPECT_THAT(
      error_of([&] { (void)load_folder(root(), options); }),
      HasSubstr("no domain 'Product' in " + root().string() + ", which has: Art, Real World"));
}

TEST_F(FolderDataset, FingerprintFollowsBytesNamesAndNothingElse) {
  make_tree();
  const std::string first = load_folder(root()).fingerprint;
  EXPECT_EQ(first.size(), 64U);
  FolderOptions one_thread;
  one_thread.threads = 1;
  EXPECT_EQ(load_folder(root(), one_thread).fingerprint, first);
  std::filesystem::remove(root() / "imagelist.txt");
  EXPECT_EQ(load_folder(root()).fingerprint, first);
  write("Art/TV/00001.jpg", encode_jpeg(pattern(20, 16, 77), 90));
  const std::string changed = load_folder(root()).fingerprint;
  EXPECT_NE(changed, first);
  std::filesystem::rename(root() / "Art/TV/00001.jpg", root() / "Art/TV/00009.jpg");
  EXPECT_NE(load_folder(root()).fingerprint, changed);
}

TEST_F(FolderDataset, KeepsIdsApartThatDifferOnlyInTheExtension) {
  write("d/c/1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  write("d/c/1.png", encode_png(pattern(4, 4, 2)));
  write("d/c/2.png", encode_png(pattern(4, 4, 3)));
  const auto samples = load_folder(root()).domains.at(0).samples;
  EXPECT_EQ(samples[0].id, "d/c/1.jpg");
  EXPECT_EQ(samples[1].id, "d/c/1.png");
  EXPECT_EQ(samples[2].id, "d/c/2");
}

TEST_F(FolderDataset, SaysWhatIsWrongWithATree) {
  const auto load = [&] { (void)load_folder(root()); };
  EXPECT_THAT(error_of([&] { (void)load_folder(root() / "nowhere"); }),
              HasSubstr("nowhere does not exist"));
  EXPECT_THAT(error_of(load), HasSubstr("holds no folder: expected ROOT/domain/class"));
  write("1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  EXPECT_THAT(error_of(load), HasSubstr("holds images and no folder, as a class does"));
  write("art/bed/1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  std::filesystem::create_directories(root() / "art/mug");
  EXPECT_THAT(error_of(load), HasSubstr("class folder " + (root() / "art/mug").string() +
                                        " holds no image: put some in or remove it"));
  write("art/mug/1.svg", "<svg/>");
  EXPECT_THAT(error_of(load), HasSubstr("1.svg has a format that petlab cannot read"));
  std::filesystem::remove(root() / "art/mug/1.svg");
  write("art/mug/1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  write("art/mug/more/1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  EXPECT_THAT(error_of(load), HasSubstr("mug holds the folder 'more' where images belong"));
  std::filesystem::remove_all(root() / "art/mug/more");
  std::filesystem::create_directories(root() / "paintings");
  EXPECT_THAT(error_of(load), HasSubstr("paintings holds no class folder with images"));
  std::filesystem::remove_all(root() / "paintings");
  write("real/Mug/1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  EXPECT_THAT(error_of(load), HasSubstr("'Mug' and 'mug'"));
  std::filesystem::remove_all(root() / "real/Mug");
  write("real/desk_lamp/1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  write("art/desk lamp/1.jpg", encode_jpeg(pattern(4, 4, 1), 90));
  EXPECT_THAT(error_of(load), HasSubstr("'desk lamp' and 'desk_lamp'"));
}

TEST_F(FolderDataset, CheckFindsDamageDuplicatesAndThinClasses) {
  make_tree();
  const auto check = [&](const CheckOptions& options = {}) {
    const Dataset dataset = load_folder(root());
    return check_dataset(dataset, make_split(dataset, 0.5, 1), options);
  };
  EXPECT_TRUE(check().passed());
  EXPECT_EQ(check().fingerprint, load_folder(root()).fingerprint);
  const auto good = encode_jpeg(pattern(20, 16, 1), 90);
  write("Art/TV/00002.jpg", std::span(good).first(good.size() / 2));
  write("Real World/Table/copy.jpg", good);  // the same bytes as Art/TV/00001
  write("Art/Table/1.jpg", encode_jpeg(pattern(30, 10, 55), 90));
  std::size_t calls = 0;
  const CheckReport report = check({.progress = [&](std::size_t, std::size_t) { ++calls; }});
  EXPECT_EQ(calls, 18U);
  EXPECT_FALSE(report.passed());
  ASSERT_EQ(report.unreadable.size(), 1U);
  EXPECT_THAT(report.unreadable[0], HasSubstr("00002.jpg is a damaged JPEG image"));
  EXPECT_THAT(report.single_picture_classes, ElementsAre("Art/Table"));
  EXPECT_EQ(report.smallest_side, 8);
  EXPECT_EQ(report.largest_side, 30);
  ASSERT_EQ(report.identical.size(), 1U);
  EXPECT_THAT(report.identical[0].ids, ElementsAre("Art/TV/00001", "Real World/Table/copy"));
  EXPECT_TRUE(report.identical[0].across_domains && report.identical[0].across_classes);
  std::ostringstream text;
  text << report;
  EXPECT_THAT(text.str(), HasSubstr("SEE ABOVE"));
}

TEST_F(FolderDataset, OpensByName) {
  make_tree();
  DatasetSource source;
  source.name = "folder";
  source.root = root();
  EXPECT_EQ(sample_count(open_dataset(source)), 16U);
  source.name = "officehome";
  EXPECT_THAT(error_of([&] { (void)open_dataset(source); }),
              HasSubstr("unknown data set 'officehome', expected one of icon-home, office-home"));
}

}  // namespace
}  // namespace petlab::datasets
