#include "petlab/datasets/lists.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "test_support.hpp"

#include <algorithm>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Published : public TemporaryFolder {
 protected:
  void put(const std::string& folder, int count = 3) const {
    for (int i = 1; i <= count; ++i)
      write(folder + "/0000" + std::to_string(i) + ".jpg", "picture " + std::to_string(i));
  }
  /// Office-Home with two classes, under other spellings of its domains.
  void put_office_home(const std::string& at, const std::vector<std::string>& domains,
                       bool lower = false) const {
    for (const std::string& domain : domains)
      for (const std::string class_name : {"Alarm_Clock", "TV"})
        put(at + "/" + domain + "/" +
            (lower ? (class_name == "TV" ? "tv" : "alarm_clock") : class_name));
    write(at + "/ImageInfo.csv", "stray");
    write(at + "/imagelist.txt", "stray");
  }
  [[nodiscard]] Dataset load(const std::string& name, const fs::path& folder,
                             const std::vector<std::string>& domains = {},
                             const fs::path& lists = {}) const {
    return open_dataset(
        {.name = name, .root = root() / folder, .domains = domains, .lists = lists});
  }
  [[nodiscard]] std::string error(const std::string& name, const fs::path& folder) const {
    return error_of([&] { (void)load(name, folder); });
  }
};

std::vector<std::string> names(const Dataset& dataset) {
  std::vector<std::string> all;
  for (const Domain& domain : dataset.domains)
    all.push_back(domain.name);
  return all;
}

TEST_F(Published, OfficeHomeIsOneDataSetInEverySpelling) {
  const struct {
    std::vector<std::string> domains;
    bool lower;
  } spellings[] = {{{"Art", "Clipart", "Product", "Real World"}, false},
                   {{"Art", "Clipart", "Product", "Real_World"}, false},
                   {{"Art", "Clipart", "Product", "RealWorld"}, false},
                   {{"Art", "Clipart", "Product", "Real"}, false},
                   {{"art", "clipart", "product", "real_world"}, true}};
  std::string fingerprint;
  for (std::size_t i = 0; i < std::size(spellings); ++i) {
    const std::string at = "s" + std::to_string(i);
    put_office_home(at, spellings[i].domains, spellings[i].lower);
    const Dataset dataset = load("office-home", at);
    EXPECT_THAT(names(dataset), ElementsAre("Art", "Clipart", "Product", "Real World"));
    EXPECT_THAT(dataset.classes, ElementsAre("Alarm_Clock", "TV"));
    EXPECT_THAT(dataset.display_names, ElementsAre("Alarm Clock", "TV"));
    EXPECT_EQ(sample_count(dataset), 24U) << "stray files in the root are left out";
    if (fingerprint.empty()) fingerprint = dataset.fingerprint;
    EXPECT_EQ(guess_dataset(root() / at), "office-home");
    EXPECT_EQ(dataset.fingerprint, fingerprint) << at;
  }
}

TEST_F(Published, DeviationsFromThePublicationAreReportedNotFatal) {
  put_office_home("o", {"Art", "Clipart", "Real World"});
  put("o/Art/Teapot");
  put("o/Notes/x");
  const Dataset dataset = load("office-home", "o");
  EXPECT_THAT(dataset.notes, Contains("domain 'Art' has 9 images, published are 2427"));
  EXPECT_THAT(dataset.notes, Contains("domain 'Product' is not there"));
  EXPECT_THAT(dataset.notes, Contains("class 'Teapot' is none of office-home's"));
  EXPECT_THAT(dataset.notes, Contains("class 'Webcam' is in no domain"));
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("left out, no domain of office-home: 'Notes'")));
  EXPECT_THAT(dataset.published, ElementsAre(2427, 4365, 4357));
  EXPECT_THAT(names(load("office-home", "o", {"real_world", "art"})),
              ElementsAre("Real World", "Art"));
}

TEST_F(Published, WrongFoldersAreNamedAndTheRightOneGuessed) {
  put_office_home("data/OfficeHomeDataset_10072016", {"Art", "Clipart", "Product", "Real World"});
  const std::string right = (root() / "data/OfficeHomeDataset_10072016").string();
  EXPECT_THAT(error("office-home", "data/OfficeHomeDataset_10072016/Art"),
              AllOf(HasSubstr("it is the domain 'Art' with 2 classes"),
                    HasSubstr("perhaps " + right + " is meant")));
  EXPECT_THAT(load("office-home", "data").notes, Contains(HasSubstr("used " + right)))
      << "the folder of the archive is looked through";
  put("data/other/x/y");
  put_office_home("data/copy", {"Art", "Clipart", "Product", "Real World"});
  EXPECT_THAT(error("office-home", "data"),
              AllOf(HasSubstr("is no office-home folder: it holds 'OfficeHomeDataset_10072016', "
                              "'copy', 'other'"),
                    HasSubstr("expected a folder that holds Art"), HasSubstr("is meant")));
  EXPECT_THAT(error("office-home", "data/other"), HasSubstr("it holds 'x'; expected a folder"));
  EXPECT_THAT(error("office-home", "nowhere"), HasSubstr("nowhere does not exist"));
  put("data/copy/Real/TV");
  EXPECT_THAT(error("office-home", "data/copy"), HasSubstr("are both the domain 'Real World'"));
  fs::remove_all(root() / "data/copy/Real");
  put("data/copy/Art/alarm clock");
  EXPECT_THAT(error("office-home", "data/copy"),
              HasSubstr("of domain 'Art' are both the class 'Alarm_Clock'"));
}

TEST_F(Published, DasslsTrainAndValFoldersBecomeParts) {
  for (const std::string domain : {"art", "clipart", "product", "real_world"})
    for (const std::string part : {"train", "val"})
      put("office_home_dg/" + domain + "/" + part + "/alarm_clock", part == "train" ? 3 : 1);
  const Dataset dataset = load("office-home", "office_home_dg");
  EXPECT_EQ(sample_count(dataset), 16U);
  EXPECT_EQ(std::count_if(dataset.domains[0].samples.begin(), dataset.domains[0].samples.end(),
                          [](const Sample& s) { return s.part == Part::validation; }),
            1);
}

TEST_F(Published, PacsMayLieBelowImagesOrKfold) {
  for (const std::string at : {"a", "b/kfold", "c/images"})
    for (const std::string domain : {"art_painting", "cartoon", "photo", "sketch"})
      put(at + "/" + domain + "/dog");
  for (const std::string at : {"a", "b", "c"})
    EXPECT_THAT(names(load("pacs", at)), ElementsAre("art_painting", "cartoon", "photo", "sketch"));
  EXPECT_EQ(guess_dataset(root() / "a"), "pacs");
}

TEST_F(Published, OtherSetsOfDomainsAreKnownByTheirFolders) {
  for (const std::string domain : {"amazon", "dslr", "webcam"})
    put("Office31/" + domain + "/images/back_pack");
  for (const std::string domain : {"CALTECH", "LABELME", "PASCAL", "SUN"})
    put("v/" + domain + "/bird");
  for (const std::string domain : {"location_100", "location_38", "location_43", "location_46"})
    put("terra_incognita/" + domain + "/bobcat");
  const struct {
    std::string name, root;
    std::vector<std::string> domains;
    std::size_t classes;
  } sets[] = {{"office31", "Office31", {"amazon", "dslr", "webcam"}, 31},
              {"vlcs", "v", {"Caltech101", "LabelMe", "SUN09", "VOC2007"}, 5},
              {"terra-incognita",
               "terra_incognita",
               {"location_100", "location_38", "location_43", "location_46"},
               10}};
  for (const auto& set : sets) {
    EXPECT_EQ(guess_dataset(root() / set.root), set.name);
    const Dataset dataset = load(set.name, set.root);
    EXPECT_EQ(names(dataset), set.domains);
    EXPECT_EQ(dataset.classes.size(), 1U);
    EXPECT_EQ(sample_count(dataset), 3 * set.domains.size());
    // Each other class of the publication is missed.
    EXPECT_EQ(std::count_if(dataset.notes.begin(), dataset.notes.end(),
                            [](const std::string& note) {
                              return note.find("is in no domain") != std::string::npos;
                            }),
              static_cast<std::ptrdiff_t>(set.classes - 1));
  }
  put("v/PASCAL/bird2");
  EXPECT_THAT(load("vlcs", "v").notes, Contains("class 'bird2' is none of vlcs's"));
}

class DomainNet : public Published {
 protected:
  void SetUp() override {
    Published::SetUp();
    for (const std::string& domain : kAll)
      for (const std::string class_name : {"axe", "teddy-bear", "t-shirt"})
        put("dn/" + domain + "/" + class_name, 4);
  }
  /// Lists of the first pictures of two classes: i of `parts` gives picture i to a list.
  void write_lists(const std::string& prefix, const std::vector<std::string>& domains,
                   const std::vector<std::string>& suffixes) const {
    for (const std::string& domain : domains)
      for (std::size_t s = 0; s < suffixes.size(); ++s) {
        const std::string picture = "/0000" + std::to_string(s + 1) + ".jpg ";
        write("dn/" + prefix + domain + suffixes[s] + ".txt",
              domain + "/axe" + picture + "0\n" + domain + "/teddy-bear" + picture + "1\n");
      }
  }
  const std::vector<std::string> kAll = {"clipart",   "infograph", "painting",
                                         "quickdraw", "real",      "sketch"};
  const std::vector<std::string> kFour = {"clipart", "painting", "real", "sketch"};
};

TEST_F(DomainNet, IsItsFoldersOrWhatItsListsName) {
  const Dataset whole = load("domainnet", "dn");
  EXPECT_EQ(sample_count(whole), 72U);
  EXPECT_THAT(whole.notes, Contains(HasSubstr("all images are used")));
  EXPECT_EQ(guess_dataset(root() / "dn"), "domainnet");
  write_lists("", kAll, {"_train", "_test"});
  const Dataset listed = load("domainnet", "dn");
  EXPECT_EQ(sample_count(listed), 24U);
  EXPECT_THAT(listed.classes, ElementsAre("axe", "teddy-bear"));
  const Split split = own_split(listed);
  EXPECT_EQ(split.train[0].size(), 2U);
  EXPECT_EQ(split.test[0].size(), 2U);
}

TEST_F(DomainNet, MiniHasListsInSplitsMini) {
  EXPECT_THAT(error("mini-domainnet", "dn"),
              AllOf(HasSubstr("the lists of mini-domainnet (splits_mini/clipart_train.txt"),
                    HasSubstr("name their folder with --lists")));
  write_lists("splits_mini/", kFour, {"_train", "_test"});
  EXPECT_EQ(guess_dataset(root() / "dn"), "mini-domainnet");
  const Dataset dataset = load("mini-domainnet", "dn");
  EXPECT_THAT(names(dataset), ElementsAre("clipart", "painting", "real", "sketch"));
  EXPECT_EQ(sample_count(dataset), 16U);
  EXPECT_EQ(dataset.domains[3].samples[2].id, "sketch/teddy-bear/00001");
  EXPECT_EQ(own_split(dataset).train[3].size(), 2U);
  fs::remove(root() / "dn/real/axe/00002.jpg");
  EXPECT_THAT(error("mini-domainnet", "dn"),
              AllOf(HasSubstr("real_test.txt line 1: "), HasSubstr("does not exist")));
}

TEST_F(DomainNet, Of126ClassesIsSsdaMmesLists) {
  write_lists("txt/multi/labeled_source_images_", kFour, {""});
  const Dataset dataset = load("domainnet-126", "dn");
  EXPECT_EQ(sample_count(dataset), 8U);
  EXPECT_EQ(dataset.domains[0].samples[0].part, Part::none) << "they are no split";
  fs::rename(root() / "dn/txt", root() / "elsewhere");
  EXPECT_EQ(sample_count(load("domainnet-126", "dn", {}, root() / "elsewhere/multi")), 8U);
  EXPECT_THAT(error("domainnet-126", "dn"), HasSubstr("labeled_source_images_clipart.txt"));
}

TEST_F(Published, ListsAreForDataSetsThatAreMadeByThem) {
  put_office_home("o", {"Art", "Clipart", "Product", "Real World"});
  EXPECT_THAT(error_of([&] { (void)load("office-home", "o", {}, root()); }),
              HasSubstr("is not made by lists"));
}

TEST(Registry, ExplainsEveryDataSet) {
  const auto known = list_datasets("/nowhere");
  ASSERT_EQ(known.size(), dataset_names().size());
  for (const KnownDataset& one : known) {
    EXPECT_FALSE(one.layout.empty()) << one.name;
    EXPECT_FALSE(one.source.empty()) << one.name;
    EXPECT_THAT(one.source, Not(HasSubstr("http"))) << "petlab knows no download";
  }
}

}  // namespace
}  // namespace petlab::datasets
