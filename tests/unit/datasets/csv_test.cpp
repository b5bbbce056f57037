#include "petlab/datasets/csv.hpp"

#include "petlab/datasets/dataset.hpp"
#include "petlab/datasets/registry.hpp"
#include "test_support.hpp"

namespace petlab::datasets {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Csv : public TemporaryFolder {
 protected:
  [[nodiscard]] std::vector<CsvRow> read(std::string_view text) const {
    return read_csv_rows(write("t.csv", text), {.required = {"a", "b"}, .optional = {"c"}});
  }
};

TEST_F(Csv, ReadsWhatSpreadsheetsWrite) {
  const struct {
    const char* what;
    std::string_view text;
  } cases[] = {
      {"plain", "a,b\n1,2\n3,4\n"},
      {"no line end at the end", "a,b\n1,2\n3,4"},
      {"Windows line ends", "a,b\r\n1,2\r\n3,4\r\n"},
      {"byte-order mark",
       "\xEF\xBB\xBF"
       "a,b\n1,2\n3,4\n"},
      {"other order", "b,a\n2,1\n4,3\n"},
      {"quotes", "\"a\",\"b\"\n\"1\",2\n3,\"4\"\n"},
      {"blank lines", "a,b\n\n1,2\n\n\n3,4\n\n"},
  };
  for (const auto& one : cases) {
    const auto rows = read(one.text);
    ASSERT_EQ(rows.size(), 2U) << one.what;
    EXPECT_THAT(rows[0].values, ElementsAre("1", "2", "")) << one.what;
    EXPECT_THAT(rows[1].values, ElementsAre("3", "4", "")) << one.what;
  }
}

TEST_F(Csv, KeepsCommasQuotesBlanksAndLineBreaks) {
  const auto rows =
      read("a,b,c\n\"x, y\",\"say \"\"hi\"\"\", z \n\"two\nlines\",\"\",\n last,1,2\n");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_THAT(rows[0].values, ElementsAre("x, y", "say \"hi\"", " z "));
  EXPECT_THAT(rows[1].values, ElementsAre("two\nlines", "", ""));
  EXPECT_THAT(rows[2].values, ElementsAre(" last", "1", "2"));
  EXPECT_EQ(rows[0].line, 2U);
  EXPECT_EQ(rows[1].line, 3U);
  EXPECT_EQ(rows[2].line, 5U) << "the row before takes two lines";
  for (const std::string value : {"plain", "a,b", "\"", "x\ny", " blank "}) {
    EXPECT_EQ(read("a,b\n" + csv_field(value) + ",1\n").at(0).values[0], value);
  }
}

TEST_F(Csv, SaysWhichLineIsWrong) {
  const auto error = [&](std::string_view text) { return error_of([&] { (void)read(text); }); };
  EXPECT_THAT(error(""), HasSubstr("t.csv is empty, expected a header line with a, b"));
  EXPECT_THAT(error("a\n1\n"), HasSubstr("t.csv line 1: missing column b; the header has: a"));
  EXPECT_THAT(error("a,b,d\n"), HasSubstr("line 1: unknown column 'd'"));
  EXPECT_THAT(error("a,b,a\n"), HasSubstr("line 1: column 'a' is there twice"));
  EXPECT_THAT(error("a,b\n1,2\n3\n"), HasSubstr("line 3: 1 values, expected 2"));
  EXPECT_THAT(error("a,b\n1,2,3\n"), HasSubstr("line 2: 3 values, expected 2"));
  EXPECT_THAT(error("a,b\n1,x\"y\n"), HasSubstr("t.csv line 2: not CSV"));
  EXPECT_THAT(error("a,b\n1,2\n\"x,1\n5,6\n"),
              HasSubstr("t.csv line 3: the quotes that begin in this row do not end"));
}

class CsvManifest : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    for (const std::string name : {"1.jpg", "with, comma.jpg", "say \"x\".jpg", "two\nlines.jpg"})
      write("in/" + name, encode_jpeg(pattern(4, 4, ++seed_), 90));
  }
  [[nodiscard]] Dataset load(std::string_view text) const {
    return open_dataset({.name = "csv", .root = write("m.csv", text)});
  }
  unsigned seed_ = 0;
};

TEST_F(CsvManifest, IsADataSetWithItsOwnSplit) {
  const Dataset dataset = load(
      "path,domain,class,split,comment\n"
      "in/1.jpg,Art,mug,train,x\n"
      "\"in/with, comma.jpg\",Art,\"cup, small\",test,\n"
      "\"in/say \"\"x\"\".jpg\",Photo,mug,val,\n"
      "\"in/two\nlines.jpg\",Photo,mug,,y\n");
  EXPECT_EQ(dataset.name, "csv");
  EXPECT_THAT(dataset.classes, ElementsAre("cup, small", "mug"));
  ASSERT_EQ(dataset.domains.size(), 2U);
  EXPECT_EQ(dataset.domains[0].samples[0].id, "Art/cup, small/with, comma");
  EXPECT_EQ(dataset.domains[0].samples[0].part, Part::test);
  EXPECT_EQ(dataset.domains[1].samples[0].part, Part::validation);
  EXPECT_EQ(dataset.domains[1].samples[1].id, "Photo/mug/two\\x0Alines");
  EXPECT_EQ(dataset.domains[1].samples[1].part, Part::none);
  EXPECT_EQ(dataset.fingerprint.size(), 64U);
}

TEST_F(CsvManifest, IsRefusedWithFileAndLine) {
  const auto error = [&](const std::string& rows) {
    return error_of([&] { (void)load("path,domain,class,split\n" + rows); });
  };
  EXPECT_THAT(error("in/1.jpg,Art,mug,\nin/2.jpg,Art,mug,\n"),
              AllOf(HasSubstr("m.csv line 3: "), HasSubstr("in/2.jpg does not exist")));
  EXPECT_THAT(error("in/1.jpg,Art,mug,\n./in/1.jpg,Photo,mug,\n"),
              HasSubstr("line 3: './in/1.jpg' is listed already, in line 2"));
  EXPECT_THAT(error("in/1.jpg,Art,mug,learn\n"), HasSubstr("line 2: split is 'learn'"));
  EXPECT_THAT(error("in/1.jpg,,mug,\n"),
              HasSubstr("line 2: the value of column 'domain' is empty"));
  EXPECT_THAT(error("in/1.jpg,\"a\nb\",mug,\n"), HasSubstr("domain 'a\\x0Ab' of"));
  EXPECT_THAT(error(""), HasSubstr("m.csv lists no image"));
  EXPECT_THAT(error_of([&] { (void)load("file,domain,class\n"); }),
              HasSubstr("m.csv line 1: missing column path"));
  EXPECT_THAT(error_of([&] { (void)open_dataset({.name = "csv", .root = root() / "no.csv"}); }),
              HasSubstr("no.csv does not exist"));
  EXPECT_THAT(error_of([&] { (void)open_dataset({.name = "csv", .root = root() / "in"}); }),
              HasSubstr("holds no manifest.csv"));
}

}  // namespace
}  // namespace petlab::datasets
