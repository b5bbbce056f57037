// CoOp's data sets: split_zhou_*.json, and the two that are split otherwise.
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "test_support.hpp"

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Coop : public TemporaryFolder {
 protected:
  /// Six images of two breeds; labels are not in the order of the names.
  void put_pets() const {
    for (const char* name : {"a_1", "a_2", "a_3", "b_1", "b_2", "b_3"})
      write(std::string("oxford_pets/images/") + name + ".jpg", std::string("picture ") + name);
    write(kPets, R"({"train": [["a_1.jpg", 1, "abyssinian"], ["b_1.jpg", 0, "great_pyrenees"]],
                     "val": [["a_2.jpg", 1, "abyssinian"], ["b_2.jpg", 0, "great_pyrenees"]],
                     "test": [["b_3.jpg", 0, "great_pyrenees"], ["a_3.jpg", 1, "abyssinian"]]})");
  }
  [[nodiscard]] Dataset load(const std::string& name, const fs::path& folder,
                             const fs::path& lists = {}) const {
    return open_dataset({.name = name, .root = root() / folder, .lists = lists});
  }
  [[nodiscard]] std::string error(const std::string& name, const fs::path& folder) const {
    return error_of([&] { (void)load(name, folder); });
  }
  /// The error for another content of the split.
  [[nodiscard]] std::string with(const std::string& split) const {
    write(kPets, split);
    return error("oxford-pets", "oxford_pets");
  }
  const std::string kPets = "oxford_pets/split_zhou_OxfordPets.json";
};

TEST_F(Coop, SplitSaysClassesInTheOrderOfLabelsAndParts) {
  put_pets();
  const Dataset dataset = load("oxford-pets", "oxford_pets");
  ASSERT_EQ(dataset.domains.size(), 1U);
  EXPECT_EQ(dataset.domains[0].name, "oxford-pets");
  EXPECT_THAT(dataset.classes, ElementsAre("great_pyrenees", "abyssinian"));
  EXPECT_THAT(dataset.display_names, ElementsAre("great pyrenees", "abyssinian"));
  EXPECT_THAT(dataset.domains[0].classes, ElementsAre(0, 1));
  EXPECT_EQ(dataset.text_template, "a photo of a {}, a type of pet.");
  EXPECT_EQ(dataset.domains[0].samples[0].id, "oxford-pets/abyssinian/a_1");
  EXPECT_EQ(dataset.domains[0].samples[0].label, 1);
  EXPECT_THAT(dataset.published, ElementsAre(7349));
  EXPECT_THAT(dataset.notes, Contains("the set has 2 training images, published are 2944"));
  const Split split = own_split(dataset);
  EXPECT_THAT(split.train, ElementsAre(ElementsAre(0, 3)));
  EXPECT_THAT(split.validation, ElementsAre(ElementsAre(1, 4)));
  EXPECT_THAT(split.test, ElementsAre(ElementsAre(2, 5)));
  // What is chosen on validation images never sees the test part.
  EXPECT_THAT(tested_on_validation(dataset, split).test, ElementsAre(ElementsAre(1, 4)));
  // Shots come from the training part.
  const Split shots = choose_split(
      dataset, {.kind = SplitChoice::Kind::shots, .train_shots = 1, .own_lists = true}, 1);
  EXPECT_EQ(shots.train, split.train);
  EXPECT_EQ(shots.test, split.test);
}

TEST_F(Coop, BaseClassesAreTheFirstByLabel) {
  put_pets();
  for (int i = 0; i < 2; ++i)
    write("oxford_pets/images/c_" + std::to_string(i) + ".jpg", "more " + std::to_string(i));
  write(
      kPets,
      R"({"train": [["a_1.jpg", 3, "a"], ["b_1.jpg", 0, "d"], ["c_0.jpg", 1, "c"], ["c_1.jpg", 2, "b"]],
            "test": [["a_2.jpg", 3, "a"], ["b_2.jpg", 0, "d"], ["a_3.jpg", 1, "c"], ["b_3.jpg", 2, "b"]]})");
  const Dataset base = open_dataset(
      {.name = "oxford-pets", .root = root() / "oxford_pets", .classes = ClassPart::base});
  EXPECT_THAT(base.classes, ElementsAre("d", "c", "b", "a"));
  EXPECT_THAT(base.domains[0].classes, ElementsAre(0, 1));
}

TEST_F(Coop, FolderOfAllSetsAndListsElsewhereAreFound) {
  put_pets();
  const Dataset dataset = load("oxford-pets", "");
  EXPECT_THAT(dataset.notes, Contains("used " + (root() / "oxford_pets").string()));
  EXPECT_EQ(guess_dataset(root() / "oxford_pets"), "oxford-pets");
  fs::create_directories(root() / "lists");
  fs::rename(root() / kPets, root() / "lists/split_zhou_OxfordPets.json");
  EXPECT_THAT(error("oxford-pets", "oxford_pets"),
              AllOf(HasSubstr("is no oxford-pets folder: it holds no split_zhou_OxfordPets.json"),
                    HasSubstr("expected a folder with images/ and split_zhou_OxfordPets.json")));
  EXPECT_EQ(load("oxford-pets", "oxford_pets", root() / "lists").fingerprint, dataset.fingerprint);
}

TEST_F(Coop, SplitsThatAreNotJsonAreRefusedInOneSentence) {
  put_pets();
  const std::string name = (root() / kPets).string();
  const std::string expected =
      "; expected {\"train\": [[path, label, class name], ...], \"val\": ..., \"test\": ...}";
  EXPECT_EQ(with(R"({"train": [["a_1.jpg", 0)"),
            name + " is not valid JSON at byte 24 of 24" + expected);
  EXPECT_EQ(with(R"({"train": [["a_1.jpg", 1e999, "a"]], "test": []})"),
            name + " holds a number that is out of range" + expected);
  EXPECT_EQ(with(R"({"train": [["a_1.jpg", 0, "a"]], "test": [], "train": []})"),
            name + " has the key 'train' twice in one object" + expected)
      << "the last would part the test images";
  // As deep as only somebody who means harm writes it.
  const std::string deep(1'000'000, '[');
  EXPECT_EQ(with(R"({"train": [)" + deep + std::string(deep.size(), ']') + R"(], "test": []})"),
            name + " is JSON that nests deeper than 100 levels" + expected);
  EXPECT_EQ(with("version https://git-lfs.github.com/spec/v1\n"),
            name +
                " is a pointer of Git LFS, not the file itself: `git lfs pull` in its "
                "repository fetches it");
  EXPECT_THAT(with(std::string("\xFF\xFE{\0}\0", 6)),
              AllOf(HasSubstr(name + " is UTF-16"), HasSubstr("save it as UTF-8")));
}

TEST_F(Coop, SplitMayBeginWithAByteOrderMark) {
  put_pets();
  const std::string fingerprint = load("oxford-pets", "oxford_pets").fingerprint;
  write(kPets, "\xEF\xBB\xBF" + text_of(root() / kPets));
  EXPECT_EQ(load("oxford-pets", "oxford_pets").fingerprint, fingerprint);
}

TEST_F(Coop, SplitsThatDoNotFitAreRefusedByEntry) {
  put_pets();
  const std::string test = R"(, "test": []})";
  EXPECT_THAT(with("[1]"), HasSubstr("is no split: expected {\"train\""));
  EXPECT_THAT(with(R"({"train": []})"), HasSubstr("has no list 'test'"));
  EXPECT_THAT(with(R"({"train": [], "test": []})"), HasSubstr("lists no image"));
  EXPECT_THAT(with(R"({"train": [["a_1.jpg", "x", "a"]])" + test),
              AllOf(HasSubstr("split_zhou_OxfordPets.json: train[0] is [\"a_1.jpg\",\"x\",\"a\"]"),
                    HasSubstr("expected [path, label, class name]")));
  EXPECT_THAT(with(R"({"train": [["a_1.jpg", [0], {"a": []}]])" + test),
              HasSubstr("train[0] is [\"a_1.jpg\",[0],{\"a\":[]}], expected [path"));
  EXPECT_THAT(with(R"({"train": [["a_1.jpg", -1, "a"]])" + test), HasSubstr("label -1 is below 0"));
  EXPECT_THAT(with(R"({"train": [["a_1.jpg", 1, "a"]])" + test),
              HasSubstr("label 0 is left out before 1 (class 'a')"));
  EXPECT_THAT(
      with(R"({"train": [["a_1.jpg", 0, "a"], ["a_2.jpg", 0, "b"]])" + test),
      AllOf(HasSubstr("train[1]: label 0 is class 'b', but 'a' in"), HasSubstr("train[0]")));
  EXPECT_THAT(with(R"({"train": [["a_1.jpg", 0, "a"], ["a_2.jpg", 1, "a"]])" + test),
              HasSubstr("train[1]: class 'a' has label 1, but 0 in"));
  EXPECT_THAT(
      with(R"({"train": [["a_1.jpg", 0, "a"]], "test": [["./a_1.jpg", 0, "a"]]})"),
      AllOf(HasSubstr("test[0]: image './a_1.jpg' is listed already"), HasSubstr("train[0]")));
  for (const char* path : {"../secret.jpg", "/etc/passwd", "x/../../y.jpg"})
    EXPECT_THAT(with(std::string(R"({"train": [[")") + path + R"(", 0, "a"]])" + test),
                HasSubstr("leads out of the folder of the images"))
        << path;
  EXPECT_THAT(
      with(R"({"train": [["no.jpg", 0, "a"], ["a_1.jpg", 0, "a"], ["nor.jpg", 0, "a"]])" + test),
      AllOf(HasSubstr("train[0]: image "), HasSubstr("images/no.jpg does not exist"),
            HasSubstr("nor do 1 more of the 3")));
  EXPECT_THAT(with(R"({"train": [["a_1.jpg", 0, "t-shirt"], ["a_2.jpg", 1, "T shirt"],
                                 ["a_3.jpg", 2, "t - shirt"]])" +
                   test),
              HasSubstr("are one text in a prompt"));
}

TEST_F(Coop, AnySplitOfThatFormIsOneOfYourOwn) {
  put_pets();
  const Dataset dataset = load("coop-split", kPets);
  EXPECT_EQ(dataset.domains[0].name, "oxford_pets");
  EXPECT_EQ(sample_count(dataset), 6U);
  EXPECT_EQ(sample_count(load("coop-split", "oxford_pets")), 6U);
  EXPECT_EQ(guess_dataset(root() / kPets), "coop-split");
  write("oxford_pets/split_2.json", "{}");
  EXPECT_THAT(error("coop-split", "oxford_pets"), HasSubstr("holds several splits"));
  EXPECT_THAT(error("coop-split", "nowhere"), HasSubstr("nowhere does not exist"));
}

TEST_F(Coop, AircraftAreSplitByLists) {
  for (const char* image : {"01", "02", "03"})
    write(std::string("data/images/") + image + ".jpg", image);
  write("data/variants.txt", "F-16A/B\nBoeing 717\n");
  write("data/images_variant_train.txt", "01 Boeing 717\n");
  write("data/images_variant_val.txt", "02 F-16A/B\n");
  write("data/images_variant_test.txt", "03 Boeing 717\n");
  EXPECT_EQ(guess_dataset(root() / "data"), "fgvc-aircraft");
  const Dataset dataset = load("fgvc-aircraft", "");
  EXPECT_THAT(dataset.classes, ElementsAre("F-16A/B", "Boeing 717"));
  EXPECT_THAT(own_split(dataset).validation, ElementsAre(ElementsAre(2)));
  EXPECT_THAT(error_of([&] { (void)load("fgvc-aircraft", "data", root()); }),
              HasSubstr("'fgvc-aircraft' is not made by lists"));
  write("data/images_variant_test.txt", "03 Boeing 718\n");
  EXPECT_THAT(error("fgvc-aircraft", "data"),
              AllOf(HasSubstr("images_variant_test.txt line 1"), HasSubstr("names no variant")));
  write("data/images_variant_test.txt", "04 Boeing 717\n");
  EXPECT_THAT(error("fgvc-aircraft", "data"), HasSubstr("04.jpg does not exist"));
  write("data/variants.txt", "Boeing 717\nBoeing 717\n");
  EXPECT_THAT(error("fgvc-aircraft", "data"), HasSubstr("line 2: variant 'Boeing 717'"));
}

TEST_F(Coop, ImageNetTestsOnItsValidationImages) {
  for (const std::string id : {"n01440764", "n03773504", "n04008634"}) {
    write("imagenet/images/train/" + id + "/" + id + "_1.JPEG", id + "train");
    write("imagenet/images/val/" + id + "/ILSVRC2012_val_1.JPEG", id + "val");
  }
  const fs::path names =
      write("imagenet/classnames.txt", "n01440764 tench\nn03773504 missile\nn04008634 missile\n");
  EXPECT_EQ(guess_dataset(root() / "imagenet"), "imagenet");
  const Dataset dataset = load("imagenet", "");
  EXPECT_THAT(dataset.display_names, ElementsAre("tench", "missile", "projectile"));
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("'n04008634' is called 'projectile'")));
  EXPECT_EQ(dataset.class_names_hash.size(), 64U);
  EXPECT_EQ(own_split(dataset).test[0].size(), 3U);
  write("imagenet/classnames.txt", "n01440764\n");
  EXPECT_THAT(error("imagenet", "imagenet"), HasSubstr("classnames.txt line 1: 'n01440764'"));
  fs::remove(names);
  EXPECT_THAT(load("imagenet", "imagenet").display_names, Contains("n01440764"));
  EXPECT_EQ(sample_count(load("imagenet", "imagenet/images")), 6U);
  fs::remove_all(root() / "imagenet/images/val");
  EXPECT_THAT(error("imagenet", "imagenet"), HasSubstr("images/val does not exist"));
}

}  // namespace
}  // namespace petlab::datasets
