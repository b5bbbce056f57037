#include "torchscript_archive.hpp"

#include "archive_fixture.hpp"
#include "model_fixture.hpp"
#include "pickle_reader.hpp"
#include "zip_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::clip {
namespace {

using test::bytes_of;
using test::dictionary_pickle;
using test::tensor_pickle;
using test::zip_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::span<const unsigned char> view(const std::string& bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

std::vector<StoredTensor> read(const std::string& archive) {
  return parse_torch_archive(view(archive), "x.pt");
}

TEST(TorchArchive, FindsTensorsWhereTheyLie) {
  const std::string archive = test::small_archive();
  const auto tensors = read(archive);
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_EQ(tensors[0].name, "w");
  EXPECT_EQ(tensors[0].type, at::kFloat);
  EXPECT_THAT(tensors[0].shape, ElementsAre(2, 3));
  EXPECT_THAT(tensors[0].strides, ElementsAre(3, 1));
  EXPECT_EQ(tensors[0].bytes, 24U);
  EXPECT_EQ(archive.substr(tensors[0].offset + 4, 4), std::string("\x00\x00\x80\x3f", 4));
}

struct BadArchive {
  const char* name;
  std::string archive;
  const char* message;
};

TEST(TorchArchive, RefusesBadTensors) {
  const std::string data(24, '\0');
  const auto with = [&](const std::string& value) {
    return zip_of({{"a/data.pkl", dictionary_pickle("w", value)}, {"a/data/0", data}});
  };
  constexpr std::int64_t kHuge = std::int64_t{1} << 62;
  const std::vector<BadArchive> cases = {
      {"outside", with(tensor_pickle("0", 6, {2, 4}, {4, 1})), "reaches outside of its storage"},
      {"offset", with(tensor_pickle("0", 6, {2, 3}, {3, 1}, 1)), "reaches outside of its storage"},
      {"negative offset", with(tensor_pickle("0", 6, {2}, {1}, -1)), "reaches outside"},
      {"negative stride", with(tensor_pickle("0", 6, {2}, {-1})), "sizes or strides that are none"},
      {"negative size", with(tensor_pickle("0", 6, {-2}, {1})), "sizes or strides that are none"},
      {"huge stride", with(tensor_pickle("0", 6, {3, 3}, {kHuge, kHuge})), "too many elements"},
      {"huge shape", with(tensor_pickle("0", 6, {kHuge, kHuge}, {0, 0})), "too many elements"},
      {"longer storage", with(tensor_pickle("0", 7, {7}, {1})), "shorter than it says"},
      {"negative storage", with(tensor_pickle("0", -1, {1}, {1})), "shorter than it says"},
      {"no strides", with(tensor_pickle("0", 6, {2, 3}, {3})), "more sizes than strides"},
      {"other storage", with(tensor_pickle("1", 6, {6}, {1})), "lies in 'a/data/1', which"},
      {"climbing storage", with(tensor_pickle("../data.pkl", 6, {6}, {1})), "does not hold"},
      {"unknown type", with(tensor_pickle("0", 6, {6}, {1}, 0, "QInt8Storage")),
       "lies in a 'torch QInt8Storage'"},
      {"compressed data",
       zip_of({{"a/data.pkl", dictionary_pickle("w", tensor_pickle("0", 6, {6}, {1}))},
               {"a/data/0", data, 8}}),
       "does not hold uncompressed"},
      {"no pickle", zip_of({{"a/data/0", data}}), "holds no data.pkl"},
      {"two pickles", zip_of({{"a/data.pkl", ""}, {"b/data.pkl", ""}}), "more than one data.pkl"},
      {"compressed pickle", zip_of({{"a/data.pkl", "x", 8}}), "data.pkl is compressed"},
      {"a list", zip_of({{"a/data.pkl", "\x80\x02]."}}), "neither a module nor a dictionary"},
  };
  for (const BadArchive& one : cases) {
    SCOPED_TRACE(one.name);
    EXPECT_THAT(test::error_of([&] { (void)read(one.archive); }), HasSubstr(one.message));
  }
  // Broken strides of an empty tensor reach nothing.
  EXPECT_EQ(read(with(tensor_pickle("0", 6, {0, 5}, {kHuge, kHuge})))[0].bytes, 0U);
}

TEST(TorchArchive, DamagedBytesFailTheirChecksum) {
  std::string archive = test::small_archive();
  const std::size_t place = read(archive)[0].offset;
  archive[place] = static_cast<char>(archive[place] ^ 1);
  EXPECT_THAT(test::error_of([&] { (void)read(archive); }),
              HasSubstr("'a/data/0', which does not have the checksum"));
}

TEST(TorchArchive, EveryTruncationIsRefused) {
  const std::string whole = test::small_archive();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_NE(test::error_of([&] { (void)read(whole.substr(0, size)); }), "") << size;
}

TEST(ZipDirectory, RefusesWhatDoesNotFit) {
  const auto error = [](std::string archive, std::size_t from_end, const std::string& bytes) {
    archive.replace(archive.size() - from_end, bytes.size(), bytes);
    return test::error_of([&] { (void)parse_zip(view(archive), "x.pt"); });
  };
  const std::string one = zip_of({{"a", "1234"}});  // directory: 47 bytes, end: 22
  EXPECT_THAT(error(one, 10, bytes_of(1 << 20, 4)), HasSubstr("directory lies outside"));
  EXPECT_THAT(error(one, 12, bytes_of(9, 2)), HasSubstr("shorter than its number of files"));
  EXPECT_THAT(error(one, 22 + 47, "XX"), HasSubstr("cut or garbled"));
  EXPECT_THAT(error(one, 22 + 47 - 8, bytes_of(1, 2)), HasSubstr("'a' is encrypted"));
  EXPECT_THAT(error(one, 22 + 47 - 20, bytes_of(5, 4)), HasSubstr("stored with two sizes"));
  EXPECT_THAT(error(one, 22 + 47 - 20, bytes_of(0x7FFFFFFF7FFFFFFF, 8)),
              HasSubstr("lies outside of it"));
  EXPECT_THAT(error(one, 22 + 47 - 42, bytes_of(1, 4)), HasSubstr("not where the directory says"));
  EXPECT_THAT(error(zip_of({{"a", "1"}, {"a", "2"}}), 1, std::string(1, '\0')),
              HasSubstr("'a' is there twice"));
  // Both entries say that they are the first.
  EXPECT_THAT(error(zip_of({{"a", "1234"}, {"b", "5678"}}), 22 + 47 - 42, bytes_of(0, 4)),
              HasSubstr("two of its files overlap"));
}

TEST(ZipDirectory, Reads64BitDirectories) {
  const std::string plain = zip_of({{"a", "1234"}});
  const std::size_t end = plain.size() - 22;
  const std::string record = "PK\x06\x06" + bytes_of(44, 8) + bytes_of(0, 12) + bytes_of(1, 8) +
                             bytes_of(1, 8) + bytes_of(47, 8) + bytes_of(end - 47, 8);
  const std::string locator = "PK\x06\x07" + bytes_of(0, 4) + bytes_of(end, 8) + bytes_of(1, 4);
  std::string tail = plain.substr(end);
  tail.replace(8, 12, std::string(12, '\xFF'));  // everything stands in the 64-bit record
  const std::string archive = plain.substr(0, end) + record + locator + tail;
  EXPECT_EQ(parse_zip(view(archive), "x.pt").at("a").size, 4U);
  std::string bad = archive;
  bad.replace(end + record.size() + 8, 8, bytes_of(~0ULL, 8));
  EXPECT_THAT(test::error_of([&] { (void)parse_zip(view(bad), "x.pt"); }),
              HasSubstr("64-bit directory is not where it says"));
}

TEST(Pickle, CallsNothing) {
  const auto error = [](const std::string& body) {
    const std::string pickle = "\x80\x02" + body;
    return test::error_of([&] { (void)Pickle::parse(view(pickle), "x.pt"); });
  };
  EXPECT_THAT(error("cposix\nsystem\n(X\x02\0\0\0lstR."), HasSubstr("is cut"));
  EXPECT_THAT(error("cposix\nsystem\n(X" + bytes_of(2, 4) + "lstR."),
              HasSubstr("calls 'posix system', which no file of weights needs"));
  EXPECT_THAT(error("csubprocess\nPopen\n)\x81."), HasSubstr("makes a 'subprocess Popen'"));
  EXPECT_THAT(error("(X" + bytes_of(2, 4) + "lsiposix\nsystem\n."), HasSubstr("opcode 105"));
  EXPECT_THAT(error("(tQ."), HasSubstr("no storage"));
  EXPECT_THAT(error("h\x01."), HasSubstr("recalls a value that it has not stored"));
  EXPECT_THAT(error("t."), HasSubstr("a mark is missing"));
  EXPECT_THAT(error("(K\x01\x85."), HasSubstr("does not end with one value"));
  EXPECT_THAT(error("K\x01(\x85."), HasSubstr("a value is missing"));
  EXPECT_THAT(error("}(K\x01u."), HasSubstr("a key has no value"));
  EXPECT_THAT(error("X" + bytes_of(0xFFFFFFFF, 4) + "."), HasSubstr("a text is cut"));
  EXPECT_THAT(error("N}b."), HasSubstr("gives a state to what has none"));
  EXPECT_THAT(error(""), HasSubstr("is cut"));
  const std::string long_one = "\x80\x02" + std::string(5 << 20, 'N');
  EXPECT_THAT(test::error_of([&] { (void)Pickle::parse(view(long_one), "x.pt"); }),
              HasSubstr("more than 4 MiB"));
}

TEST(Pickle, ModulesThatHoldThemselvesEnd) {
  // A module whose state has itself under two names.
  const std::string pickle =
      "\x80\x02"
      "c__torch__\nA\n)\x81q\x01}(X" +
      bytes_of(1, 4) + "a" + "h\x01X" + bytes_of(1, 4) + "bh\x01ub.";
  EXPECT_THAT(test::error_of([&] { (void)read(zip_of({{"a/data.pkl", pickle}})); }),
              HasSubstr("nest too deep"));
  // 25 levels of two names for the same module: 2^25 ways.
  std::string many =
      "\x80\x02"
      "c__torch__\nA\n)\x81}bq\x01";
  for (int i = 0; i < 25; ++i)
    many +=
        "0c__torch__\nA\n)\x81}(X" + bytes_of(1, 4) + "ah\x01X" + bytes_of(1, 4) + "bh\x01ubq\x01";
  many += ".";
  EXPECT_NE(test::error_of([&] { (void)read(zip_of({{"a/data.pkl", many}})); }), "");
}

}  // namespace
}  // namespace petlab::clip
