#include "petlab/datasets/lists.hpp"

#include "petlab/datasets/split.hpp"
#include "test_support.hpp"

#include <set>

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Two domains, three classes, four pictures each; files by name only.
class Lists : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    for (const std::string domain : {"Art", "Real World"})
      for (const std::string& class_name : kClasses)
        for (int i = 1; i <= 4; ++i)
          write("set/" + domain + "/" + class_name + "/0000" + std::to_string(i) + ".jpg", "x");
    dataset_ = load_folder(root() / "set", {.fingerprint = false});
  }
  /// Lines for pictures first..last of each class, with the path that `style` makes of domain,
  /// class and file, and labels in the order of `classes`.
  static std::string lines(const std::string& before, const std::string& domain, int first,
                           int last, const std::vector<std::string>& classes) {
    std::string text;
    for (std::size_t c = 0; c < classes.size(); ++c)
      for (int i = first; i <= last; ++i)
        text += before + domain + "/" + classes[c] + "/0000" + std::to_string(i) + ".jpg " +
                std::to_string(c) + "\n";
    return text;
  }
  [[nodiscard]] Split split(const std::string& lists) const {
    return read_list_split(expand_lists(lists, root()), dataset_);
  }
  [[nodiscard]] std::string error(const std::string& lists) const {
    return error_of([&] { (void)split(lists); });
  }
  const std::vector<std::string> kClasses = {"Alarm_Clock", "TV", "Table"};
  const std::vector<std::string> kOther = {"Alarm_Clock", "Table", "TV"};
  Dataset dataset_;
};

TEST_F(Lists, OfEveryStyleGiveTheSameSplit) {
  const std::string prefix = "/large_dataset/someone/multi-task/office-home/images/";
  // MRN and VMTL: absolute paths of another machine, one folder a domain, C-locale order.
  for (const std::string domain : {"Art", "Real_World"}) {
    write("mrn/" + domain + "/train_10.txt", lines(prefix, domain, 1, 1, kClasses));
    write("mrn/" + domain + "/test_10.txt", lines(prefix, domain, 2, 4, kClasses));
    write("mrn/" + domain + "/train_20.txt", lines(prefix, domain, 1, 2, kClasses));
  }
  // SSDA_MME: case-insensitive order, the domain is "Real".
  for (const std::string domain : {"Art", "Real"}) {
    write("ssda/labeled_target_images_" + domain + "_3.txt", lines("", domain, 1, 1, kOther));
    write("ssda/unlabeled_target_images_" + domain + "_3.txt", lines("", domain, 2, 4, kOther));
  }
  // Dassl and splits_mini: lower case, Windows line ends, a blank line at the end.
  for (const std::string domain : {"art", "real_world"}) {
    std::string train = lines("", domain, 1, 1, kClasses);
    for (auto at = train.find('\n'); at != std::string::npos; at = train.find('\n', at + 2))
      train.replace(at, 1, "\r\n");
    write("splits_mini/" + domain + "_train.txt", train + "\r\n");
    write("splits_mini/" + domain + "_test.txt", lines("", domain, 2, 4, kClasses));
  }
  // LibMTL: an order of its own, with a validation part.
  const std::vector<std::string> own = {"Table", "Alarm_Clock", "TV"};
  for (const std::string domain : {"Art", "Real_World"}) {
    write("libmtl/" + domain + "_train.txt", lines("", domain, 1, 1, own));
    write("libmtl/" + domain + "_val.txt", lines("", domain, 2, 2, own));
    write("libmtl/" + domain + "_test.txt", lines("", domain, 3, 4, own));
  }
  // As unpacked: a blank in the path, no line end at the end, a byte-order mark.
  for (const std::string domain : {"Art", "Real World"}) {
    std::string train = "\xEF\xBB\xBF" + lines("", domain, 1, 1, kClasses);
    train.pop_back();
    write("plain/" + domain + "/train.txt", train);
    write("plain/" + domain + "/test.txt", lines("", domain, 2, 4, kClasses));
  }
  const Split mrn = split("mrn/*/{train,test}_10.txt");
  EXPECT_EQ(mrn.train[1].size(), 3U);
  EXPECT_EQ(mrn.test[1].size(), 9U);
  EXPECT_EQ(dataset_.domains[1].samples[static_cast<std::size_t>(mrn.train[1][1])].id,
            "Real World/TV/00001");
  EXPECT_EQ(split("ssda").hash, mrn.hash);
  EXPECT_EQ(split("splits_mini").hash, mrn.hash);
  EXPECT_EQ(split("plain/Art, plain/Real World").hash, mrn.hash);
  const Split libmtl = split("libmtl");
  EXPECT_EQ(libmtl.train, mrn.train);
  EXPECT_EQ(libmtl.validation[0].size(), 3U);
  EXPECT_EQ(libmtl.test[0].size(), 6U);
  EXPECT_EQ(libmtl.name, "Art_test.txt-and-5-more");
}

TEST_F(Lists, OfTwoPublicationsDoNotMix) {
  write("a_train.txt", lines("", "Art", 1, 1, kClasses));
  write("a_test.txt", lines("", "Art", 2, 4, kOther));
  EXPECT_THAT(error("a_train.txt,a_test.txt"),
              AllOf(HasSubstr("is class"), HasSubstr("a_test.txt line "),
                    HasSubstr("a_train.txt line "), HasSubstr("not of one publication")));
  write("b_train.txt", "Art/TV/00001.jpg 0\nArt/Table/00001.jpg 0\n");
  EXPECT_THAT(error("b_train.txt"), HasSubstr("label 0 is class 'TV' in "));
  write("c_train.txt", "Art/TV/00001.jpg 0\nArt/TV/00002.jpg 1\n");
  EXPECT_THAT(error("c_train.txt"), AllOf(HasSubstr("class 'TV' has label 0 in "),
                                          HasSubstr("line 1 and 1 in "), HasSubstr("line 2")));
}

TEST_F(Lists, HaveNoGapsInTheirLabels) {
  write("a_train.txt", "Art/TV/00001.jpg 0\nArt/Table/00001.jpg 2\n");
  EXPECT_THAT(error("a_train.txt"), AllOf(HasSubstr("label 1 is left out before 2 ('Table', "),
                                          HasSubstr("a_train.txt line 2")));
  write("b_train.txt", "Art/TV/00001.jpg 7\n");
  EXPECT_THAT(error("b_train.txt"), HasSubstr("labels begin with 7 ('TV', "));
  write("c_train.txt", "Art/TV/00001.jpg 1\n" + std::string("Real World/TV/00001.jpg 1\n"));
  write("c_test.txt", "Art/TV/00002.jpg 1\n" + std::string("Real World/TV/00002.jpg 1\n"));
  EXPECT_EQ(split("c_train.txt,c_test.txt").train[0].size(), 1U)
      << "they may begin with 1, as PACS'";
}

TEST_F(Lists, AreRefusedWithFileAndLine) {
  const auto one = [&](const std::string& text) {
    write("x_train.txt", text);
    return error("x_train.txt");
  };
  EXPECT_THAT(one("Art/TV/00001.jpg 0\nArt/TV/00009.jpg 0\n"),
              HasSubstr("x_train.txt line 2: image 'TV/00009.jpg' is not in domain 'Art'"));
  EXPECT_THAT(one("Sketch/TV/00001.jpg 0\n"), HasSubstr("line 1: data set 'folder' has no domain"));
  EXPECT_THAT(one("Art/TV/00001.jpg 0\nArt/Table/00001.jpg 1\nart/TV/00001.jpg 0\n"),
              AllOf(HasSubstr("x_train.txt line 3: 'art/TV/00001.jpg' is listed already, in "),
                    HasSubstr("x_train.txt line 1")));
  EXPECT_THAT(one("Art/TV/00001.jpg\n"), HasSubstr("line 1: 'Art/TV/00001.jpg' is not 'domain/"));
  EXPECT_THAT(one("Art/TV/00001.jpg -1\n"), HasSubstr("is not 'domain/class/file label'"));
  EXPECT_THAT(one("TV/00001.jpg 0\n"), HasSubstr("is not 'domain/class/file label'"));
  EXPECT_THAT(one("\n"), HasSubstr("x_train.txt lists no image"));
  EXPECT_THAT(one("Art/TV/00001.jpg 0\n"), HasSubstr("has no test images of domain 'Art'"));
  write("y.txt", "Art/TV/00001.jpg 0\n");
  EXPECT_THAT(error("y.txt"), HasSubstr("does not say what it is for"));
  EXPECT_THAT(error("none*.txt"), HasSubstr("no file matches"));
  EXPECT_THAT(error("set"), HasSubstr("holds no list"));
}

TEST(ListPart, IsToldByTheName) {
  const std::pair<const char*, Part> cases[] = {
      {"train_10.txt", Part::train},
      {"clipart_test.txt", Part::test},
      {"Art_val.txt", Part::validation},
      {"art_painting_crossval_kfold.txt", Part::validation},
      {"labeled_target_images_Real_3.txt", Part::train},
      {"unlabeled_target_images_Real_3.txt", Part::test},
      {"validation_target_images_Real_3.txt", Part::validation},
      {"labeled_source_images_Real.txt", Part::none},
      {"constraint.txt", Part::none},
      {"train/Art.txt", Part::train},
  };
  for (const auto& [name, part] : cases)
    EXPECT_EQ(list_part(name), part) << name;
}

TEST_F(Lists, GiveThePicturesThatPercentAndShotsPickFrom) {
  for (const std::string domain : {"Art", "Real World"}) {
    write("l/" + domain + "_train.txt", lines("", domain, 1, 3, kClasses));
    write("l/" + domain + "_test.txt", lines("", domain, 4, 4, kClasses));
  }
  SplitChoice choice;
  choice.kind = SplitChoice::Kind::shots;
  choice.train_shots = 1;
  choice.lists = expand_lists("l", root());
  const Split split = choose_split(dataset_, choice, 1);
  EXPECT_EQ(split.train[0].size(), 3U);
  EXPECT_EQ(split.test[0].size(), 3U) << "the lists' test part, not what shots leave over";
  std::set<std::int64_t> test(split.test[0].begin(), split.test[0].end());
  for (const std::int64_t i : split.train[0])
    EXPECT_EQ(test.count(i), 0U);
  choice.validation.shots = 1;
  choice.train_shots = 2;
  const Split three = choose_split(dataset_, choice, 1);
  EXPECT_EQ(three.train[0].size(), 3U);
  EXPECT_EQ(three.validation[0].size(), 3U);
  EXPECT_EQ(three.test, split.test);
  choice = {};
  choice.kind = SplitChoice::Kind::list;
  EXPECT_THAT(error_of([&] { (void)choose_split(dataset_, choice, 1); }),
              HasSubstr("data set 'folder' brings no split with it"));
}

}  // namespace
}  // namespace petlab::datasets
