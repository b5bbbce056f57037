// What users really have: names that are one text, identifiers, formats that are not read, files of
// Windows, splits that leave something out.
#include "class_names.hpp"
#include "file_kind.hpp"
#include "names.hpp"
#include "petlab/datasets/csv.hpp"
#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/lists.hpp"
#include "petlab/datasets/registry.hpp"
#include "petlab/datasets/split.hpp"
#include "petlab/datasets/split_notes.hpp"
#include "test_support.hpp"

namespace petlab::datasets {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Names, OfTheSameWordsAreOneText) {
  const auto same = [](const std::string& a, const std::string& b) {
    return prompt_words(display_name(a)) == prompt_words(display_name(b));
  };
  EXPECT_TRUE(same("dog", "dog "));
  EXPECT_TRUE(same("dog", " DOG"));
  EXPECT_TRUE(same("coffee cup", "coffee  cup"));
  EXPECT_TRUE(same("coffee_cup", "coffee\u00A0cup"));
  EXPECT_TRUE(same("caf\u00E9", "cafe\u0301"));
  EXPECT_TRUE(same("\u00C9tag\u00E8re", "\u00E9tag\u00E8re")) << "Unicode case";
  EXPECT_TRUE(same("t-shirt", "T - shirt")) << "the tokenizer parts letters from signs";
  EXPECT_TRUE(same("model 10", "model10"));
  EXPECT_TRUE(same("model 1 0", "model 10")) << "digits are tokens of their own";
  EXPECT_FALSE(same("hot dog", "hotdog"));
  EXPECT_FALSE(same("cup", "cups"));
  EXPECT_FALSE(same("caf\u00E9", "cafe"));
  EXPECT_FALSE(same("c++", "c"));
  EXPECT_FALSE(same("a -- b", "a - - b"));
}

TEST(Names, ThatAreIdentifiers) {
  for (const char* name : {"n01440764", "n01440764_tench", "001.Black_footed_Albatross", "12", "0",
                           "1-cat", "class_3", "class03", "c0", "label 7", "s12"})
    EXPECT_TRUE(looks_like_identifier(name)) << name;
  for (const char* name : {"dog", "3D_printer", "t-shirt", "nail", "Class", "n", "boeing 747",
                           "category", "cat", "c++", "747-boeing2"})
    EXPECT_EQ(looks_like_identifier(name), std::string(name) == "747-boeing2") << name;
}

class UserInputs : public TemporaryFolder {
 protected:
  void put(const std::string& folder, int count = 2, const std::string& ending = ".jpg") const {
    for (int i = 1; i <= count; ++i)
      write("set/" + folder + "/" + std::to_string(i) + ending, folder + std::to_string(i));
  }
  [[nodiscard]] Dataset load(const DatasetSource& more = {}) const {
    DatasetSource source = more;
    source.name = source.name.empty() ? "folder" : source.name;
    source.root = set();
    source.fingerprint = false;
    return open_dataset(source);
  }
  [[nodiscard]] std::string error(const DatasetSource& more = {}) const {
    return error_of([&] { (void)load(more); });
  }
  [[nodiscard]] fs::path set() const { return root() / "set"; }
};

TEST_F(UserInputs, ClassesOfOneTextAreRefused) {
  put("ink/dog");
  put("oil/dog ");
  EXPECT_THAT(error(), AllOf(HasSubstr("classes 'dog' and 'dog '"), HasSubstr("one text")));
  fs::rename(set() / "oil/dog ", set() / "oil/caf\u00E9");
  put("oil/cafe\u0301");
  EXPECT_THAT(error(), HasSubstr("are one text in a prompt"));
  fs::remove_all(set() / "oil/cafe\u0301");
  EXPECT_EQ(load().classes.size(), 2U);
  put("oil/ ");
  EXPECT_THAT(error(), HasSubstr("class ' ' in"));
}

TEST_F(UserInputs, DomainsOfOneNameAreRefused) {
  put("ink/dog");
  put("ink /dog");
  EXPECT_THAT(error(), HasSubstr("domains 'ink' and 'ink '"));
  fs::rename(set() / "ink ", set() / "INK");
  EXPECT_THAT(error(), HasSubstr("domains 'INK' and 'ink'"));
  // Names that differ in more are two domains, each found by its own.
  fs::rename(set() / "INK", set() / "i-nk");
  EXPECT_EQ(load({.name = "", .root = {}, .domains = {"i-nk"}}).domains.at(0).name, "i-nk");
  EXPECT_EQ(load({.name = "", .root = {}, .domains = {"ink"}}).domains.at(0).name, "ink");
  EXPECT_THAT(error({.name = "", .root = {}, .domains = {"I_NK"}}),
              HasSubstr("may be 'i-nk' or 'ink'"));
}

TEST_F(UserInputs, ClassNamesComeFromAFile) {
  put("ink/n01440764");
  put("ink/n01443537");
  const fs::path names = write("names.csv", "folder,name\nn01440764,tench\nn01443537,goldfish\n");
  const Dataset plain = load();
  const Dataset named = load({.name = "", .root = {}, .class_names = names});
  EXPECT_THAT(named.classes, ElementsAre("n01440764", "n01443537"));
  EXPECT_THAT(named.display_names, ElementsAre("tench", "goldfish"));
  EXPECT_EQ(plain.class_names_hash, "");
  EXPECT_EQ(named.class_names_hash.size(), 64U);
  // ImageNet's form gives the same names, and with them the same hash.
  const fs::path lines = write("classnames.txt", "n01440764 tench\nn01443537 goldfish\n");
  EXPECT_EQ(load({.name = "", .root = {}, .class_names = lines}).class_names_hash,
            named.class_names_hash);
  const auto with = [&](const std::string& text) {
    write("names.csv", text);
    return error({.name = "", .root = {}, .class_names = names});
  };
  EXPECT_THAT(with("folder,name\nn01440764,tench\n"), HasSubstr("no name for class 'n01443537'"));
  EXPECT_THAT(with("folder,name\nn01440764,tench\nn01443537,Tench \n"), HasSubstr("are one text"));
  EXPECT_THAT(with("folder,name\nn01440764,a\nn01440764,b\n"), HasSubstr("has a name already"));
  EXPECT_THAT(with("folder,name\nn01440764,\nn01443537,b\n"), HasSubstr("line 2: the name of"));
  EXPECT_THAT(with("class,name\n"), HasSubstr("missing column folder"));
  // The hash is of the names in use: not of the file, its order, or names of other classes.
  write("names.csv", "name,folder\nshark,n9\ngoldfish,n01443537\ntench,n01440764\n");
  const Dataset again = load({.name = "", .root = {}, .class_names = names});
  EXPECT_EQ(again.class_names_hash, named.class_names_hash);
  EXPECT_THAT(again.notes, Contains(HasSubstr("names 1 class that the data set has not")));
  write("names.csv", "folder,name\nn01440764,n01440764\nn01443537,n01443537\n");
  EXPECT_EQ(load({.name = "", .root = {}, .class_names = names}).class_names_hash, "");
}

TEST_F(UserInputs, FormatsThatAreNotReadAreCountedAndRefused) {
  put("ink/cat", 3);
  for (const char* name : {"a.heif", "b.jp2", "c.jxl", "d.pgm", "e.tga", "f.TIFF"})
    write(std::string("set/ink/cat/") + name, name);
  EXPECT_THAT(error(), AllOf(HasSubstr("a.heif has a format that petlab cannot read, as 5 more"),
                             HasSubstr("1 .heif, 1 .jp2, 1 .jxl, 1 .pgm, 1 .tga, 1 .tiff"),
                             HasSubstr("other-formats = leave-out")));
  const Dataset left = load({.name = "", .root = {}, .leave_out_foreign = true});
  EXPECT_EQ(sample_count(left), 3U);
  EXPECT_THAT(left.notes, Contains(HasSubstr("left out: 6 images in formats")));
  put("ink/dog", 2, ".tga");
  EXPECT_THAT(error({.name = "", .root = {}, .leave_out_foreign = true}),
              HasSubstr("dog holds no image in a format that petlab reads"));
}

TEST_F(UserInputs, ContentTellsFilesWithoutAKnownEnding) {
  using namespace std::string_literals;
  const std::string jpeg = "\xFF\xD8\xFF\xE0 and more";
  put("ink/cat", 1);
  write("set/ink/cat/noending", jpeg);
  write("set/ink/cat/two.mpo", jpeg);
  write("set/ink/cat/readme", "BMX bikes");
  write("set/ink/cat/labels.txt", "text");
  const Dataset dataset = load();
  EXPECT_EQ(sample_count(dataset), 3U);
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("left out: 2 files in class folders")));
  // A copy that an editor left behind is no second picture, and not passed over either.
  write("set/ink/cat/1.jpg~", jpeg);
  EXPECT_THAT(error(), HasSubstr("1.jpg~ has a format"));
  fs::remove(set() / "ink/cat/1.jpg~");
  const std::vector<std::string> foreign = {"II*\0"s,
                                            "MM\0*"s,
                                            "\0\0\0\x18"
                                            "ftypheic1234"s,
                                            "\0\0\0\x0CjP  \r\n"s,
                                            "\xFF\x0A...."s,
                                            "P5\n4 4\n"s,
                                            "8BPS\0\1"s};
  for (const std::string& bytes : foreign)
    EXPECT_EQ(file_kind(write("unnamed", bytes)), FileKind::foreign) << bytes.size();
  EXPECT_EQ(file_kind(write("unnamed", "plain words")), FileKind::other);
  EXPECT_EQ(file_kind(root() / "nowhere"), FileKind::other);
}

TEST_F(UserInputs, PicturesOutsideOfClassesAreNoted) {
  put("ink/cat");
  put("oil/cat");
  write("set/preview.png", "x");
  EXPECT_THAT(load().notes,
              ElementsAre(AllOf(HasSubstr("left out: 1 image outside"), HasSubstr("preview.png"))));
}

TEST_F(UserInputs, PointersOfGitLfsAreCalledSo) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 7\n";
  const std::string says = "is a pointer of Git LFS";
  EXPECT_THAT(error_of([&] { (void)decode_image(write("1.jpg", pointer)); }), HasSubstr(says));
  const fs::path csv = write("list.csv", pointer);
  EXPECT_THAT(error_of([&] { (void)read_csv_rows(csv, {.required = {"path"}}); }), HasSubstr(says));
  EXPECT_THAT(error_of([&] { (void)read_lists({write("train.txt", pointer)}); }), HasSubstr(says));
}

TEST_F(UserInputs, OfficeThirtyOneHasAFolderOfImages) {
  for (const char* domain : {"amazon", "dslr", "webcam"})
    put(std::string(domain) + "/images/mug");
  const Dataset dataset = load();
  ASSERT_EQ(dataset.domains.size(), 3U);
  EXPECT_EQ(dataset.domains[0].name, "amazon");
  EXPECT_EQ(dataset.domains[0].samples[0].id, "amazon/mug/1");
  EXPECT_THAT(dataset.notes, Contains(HasSubstr("'images' of each domain")));
  put("caltech/mug");
  EXPECT_EQ(load().domains.size(), 4U) << "one domain may do without";
}

class WindowsCsv : public TemporaryFolder {
 protected:
  [[nodiscard]] Dataset load(const std::string& text) const {
    return open_dataset({.name = "csv", .root = write("list.csv", text), .fingerprint = false});
  }
  [[nodiscard]] std::string error(const std::string& text) const {
    return error_of([&] { (void)load(text); });
  }
};

TEST_F(WindowsCsv, BackslashesAndMarksAreRead) {
  write("sub/1.png", "x");
  const Dataset dataset = load("\xEF\xBB\xBFpath,domain,class\r\nsub\\1.png,ink,cat\r\n");
  EXPECT_EQ(dataset.domains.at(0).samples.at(0).file, root() / "sub/1.png");
  write("sub\\1.png", "a file of this very name");
  EXPECT_EQ(load("path,domain,class\nsub\\1.png,ink,cat\n").domains[0].samples[0].file,
            root() / "sub\\1.png");
  EXPECT_THAT(error("path,domain,class\nE:\\AI\\1.png,ink,cat\n"),
              AllOf(HasSubstr("line 2"), HasSubstr("does not exist: a path of Windows")));
  using namespace std::string_literals;
  EXPECT_THAT(error("\xFF\xFEp\0a\0"s), HasSubstr("is UTF-16 or UTF-32 text"));
  EXPECT_THAT(error("path;domain;class\n"), HasSubstr("parted by ';', expected ','"));
  EXPECT_THAT(error("path\tdomain\tclass\n"), HasSubstr("parted by tabs"));
}

class Notes : public UserInputs {
 protected:
  [[nodiscard]] std::vector<std::string> of(const Split& split, std::int64_t shots = 0) const {
    return split_notes(load(), split, shots);
  }
};

TEST_F(Notes, NameWhatAReaderMustKnow) {
  put("ink/cat", 20);
  put("ink/mug", 3);
  put("oil/cat", 20);
  const Split shots = make_shots_split(load(), 16, 1);
  EXPECT_THAT(of(shots, 16),
              ElementsAre("domain 'ink': 1 of 2 classes (mug: 2) has fewer than the 16 training "
                          "images that were asked for",
                          "domain 'oil' has one class: its accuracy is always 100 %"));
  EXPECT_EQ(split_obstacle(load(), shots), "");
  put("oil/pen", 1);
  EXPECT_THAT(of(make_split(load(), 0.5, 1)),
              ElementsAre("domain 'oil': 1 of 2 classes (pen) is trained on and never tested"));
}

TEST_F(Notes, ClassesOfOnePartOfAListAreNamed) {
  for (const char* folder : {"ink/train/cat", "ink/test/cat", "ink/test/mug", "ink/train/pen",
                             "oil/train/cat", "oil/test/cat", "oil/train/mug", "oil/test/mug"})
    put(folder);
  EXPECT_THAT(of(own_split(load())),
              ElementsAre("domain 'ink': 1 of 3 classes (mug) is tested and never trained on",
                          "domain 'ink': 1 of 3 classes (pen) is trained on and never tested"));
}

TEST_F(Notes, ADomainThatIsNeverTestedIsAnObstacle) {
  put("ink/cat", 4);
  put("oil/cat", 1);
  put("oil/mug", 1);
  EXPECT_THAT(split_obstacle(load(), make_split(load(), 0.5, 1)),
              AllOf(HasSubstr("domain 'oil' has no test images"), HasSubstr("--domains")));
}

TEST_F(Notes, IdentifiersAreNamedWhereTheyAreMost) {
  put("ink/n01440764", 4);
  put("ink/n01443537", 4);
  put("ink/dog", 4);
  EXPECT_THAT(of(make_split(load(), 0.5, 1)),
              ElementsAre(AllOf(HasSubstr("look like identifiers"), HasSubstr("class-names"))));
  put("ink/cat", 4);
  put("ink/mug", 4);
  EXPECT_THAT(of(make_split(load(), 0.5, 1)), IsEmpty());
}

TEST_F(Notes, ListsWithoutATestPartAreForValidation) {
  // As PACS's: the test list holds the pictures of the others too.
  put("ink/cat", 4);
  const auto list = [&](const char* name, const std::vector<int>& pictures) {
    std::string text;
    for (const int i : pictures)
      text += "ink/cat/" + std::to_string(i) + ".jpg 1\n";
    return write(name, text);
  };
  const fs::path train = list("ink_train_kfold.txt", {1, 2});
  const fs::path crossval = list("ink_crossval_kfold.txt", {3, 4});
  const fs::path test = list("ink_test_kfold.txt", {1, 2, 3, 4});
  const Dataset dataset = load();
  EXPECT_THAT(error_of([&] { (void)read_list_split({train, crossval, test}, dataset); }),
              AllOf(HasSubstr("is listed already"), HasSubstr("validation = list")));
  EXPECT_THAT(error_of([&] { (void)read_list_split({train, crossval}, dataset); }),
              AllOf(HasSubstr("has no test images"), HasSubstr("validation = list")));
  const Split split = tested_on_validation(
      dataset,
      choose_split(
          dataset,
          {.kind = SplitChoice::Kind::list, .lists = {train, crossval}, .needs_test = false}, 1));
  EXPECT_THAT(split.train[0], ElementsAre(0, 1));
  EXPECT_THAT(split.test[0], ElementsAre(2, 3));
}

}  // namespace
}  // namespace petlab::datasets
