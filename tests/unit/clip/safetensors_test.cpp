#include "petlab/clip/safetensors.hpp"

#include "model_fixture.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::clip {
namespace {

using ::testing::HasSubstr;

std::string with_length(const std::string& header, const std::string& data = "") {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i)
    file[i] = static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return file + header + data;
}

struct Corrupt {
  const char* name;
  std::string content;
  const char* message;
};

std::vector<Corrupt> corrupt_files() {
  const std::string four(4, '\0');
  const std::string eight(8, '\0');
  const auto entry = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
           offsets + "}}";
  };
  return {
      {"empty", "", "has 0 bytes, expected at least 8"},
      {"seven_bytes", "1234567", "has 7 bytes, expected at least 8"},
      {"huge_header", std::string(8, '\xFF'), "says that its header has 18446744073709551615"},
      {"long_header", std::string("\x40\0\0\0\0\0\0\0{}", 10), "but only 2 follow"},
      {"no_header", with_length(""), "not valid JSON"},
      {"no_json", with_length("hello"), "not valid JSON"},
      {"cut_json", with_length(R"({"a":)"), "not valid JSON"},
      {"no_utf8", with_length("{\"\xFF\":{}}"), "not valid JSON"},
      {"deep_json", with_length(std::string(100000, '[')), "nests deeper than 100 levels"},
      {"deep_entry",
       with_length(R"({"a":{"dtype":)" + std::string(5000, '[') + std::string(5000, ']') + "}}"),
       "nests deeper than 100 levels"},
      {"empty_but_huge",
       with_length(entry("F32", "[0,4611686018427387904,4611686018427387904]", "[0,0]")),
       "too many elements"},
      {"control_characters", with_length("{\"a\\nb\":1}"), "'a?b': it is not a JSON object"},
      {"long_name", with_length("{\"" + std::string(5000, 'x') + "\":1}"), "x...': it is"},
      {"list", with_length("[]"), "not a JSON object"},
      {"entry_number", with_length(R"({"a":1})"), "'a': it is not a JSON object"},
      {"no_dtype", with_length(R"({"a":{"shape":[1],"data_offsets":[0,4]}})", four),
       "'a': no field 'dtype'"},
      {"no_shape", with_length(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", four),
       "'a': no field 'shape'"},
      {"no_offsets", with_length(R"({"a":{"dtype":"F32","shape":[1]}})", four),
       "'a': no field 'data_offsets'"},
      {"more_fields",
       with_length(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}})", four),
       "unknown field 'x'"},
      {"dtype_number", with_length(R"({"a":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})", four),
       "dtype is not a text"},
      {"dtype_unknown", with_length(entry("F8_E4M3", "[4]", "[0,4]"), four),
       "dtype is 'F8_E4M3', expected one of"},
      {"shape_number", with_length(entry("F32", "1", "[0,4]"), four), "shape is not a list"},
      {"shape_negative", with_length(entry("F32", "[-1]", "[0,4]"), four),
       "something else than sizes"},
      {"shape_real", with_length(entry("F32", "[1.5]", "[0,4]"), four),
       "something else than sizes"},
      {"shape_overflow",
       with_length(entry("F32", "[4294967296,4294967296,4294967296]", "[0,4]"), four),
       "too many elements"},
      {"shape_huge", with_length(entry("F32", "[9223372036854775807]", "[0,4]"), four),
       "too many elements"},
      {"shape_deep",
       with_length(entry("F32", "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]", "[0,4]"), four),
       "more than 16 dimensions"},
      {"shape_larger", with_length(entry("F32", "[2]", "[0,4]"), four),
       "span 4 bytes, but its shape and dtype need 8"},
      {"shape_smaller", with_length(entry("F32", "[1]", "[0,8]"), eight),
       "span 8 bytes, but its shape and dtype need 4"},
      {"one_offset", with_length(entry("F32", "[1]", "[0]"), four), "not two offsets"},
      {"text_offset", with_length(entry("F32", "[1]", R"(["0",4])"), four), "not two offsets"},
      {"negative_offset", with_length(entry("F32", "[1]", "[-4,0]"), four), "not two offsets"},
      {"offsets_swapped", with_length(entry("F32", "[1]", "[4,0]"), four),
       "but the file holds 4 bytes"},
      {"offsets_outside", with_length(entry("F32", "[2]", "[0,8]"), four),
       "data_offsets are [0, 8], but the file holds 4 bytes of data"},
      {"gap_before", with_length(entry("F32", "[1]", "[4,8]"), eight), "unused bytes before"},
      {"bytes_behind", with_length(entry("F32", "[1]", "[0,4]"), eight),
       "4 bytes behind its last tensor"},
      {"data_without_tensor", with_length("{}", four), "4 bytes behind its last tensor"},
      {"overlap",
       with_length(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
                   "123456"),
       "'b': its data overlap"},
      {"same_place",
       with_length(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},)"
                   R"("b":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})",
                   "1234"),
       "'b': its data overlap"},
      {"same_name",
       with_length(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                   R"("a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})",
                   "1234"),
       "has the key 'a' twice"},
      {"same_field",
       with_length(R"({"a":{"dtype":"U8","dtype":"I32","shape":[4],"data_offsets":[0,4]}})", four),
       "has the key 'dtype' twice"},
      {"metadata_list", with_length(R"({"__metadata__":[1]})"), "__metadata__"},
      {"metadata_number", with_length(R"({"__metadata__":{"x":1}})"), "__metadata__ 'x'"},
      {"bool_of_two", with_length(entry("BOOL", "[1]", "[0,1]"), "\x02"),
       "bytes other than 0 and 1"},
  };
}

TEST(Safetensors, RefusesCorruptFiles) {
  const test::TemporaryFolder folder;
  for (const Corrupt& corrupt : corrupt_files()) {
    SCOPED_TRACE(corrupt.name);
    const auto file = folder.path() / (std::string(corrupt.name) + ".safetensors");
    test::write_file(file, corrupt.content);
    const std::string message = test::error_of([&] { (void)read_safetensors(file); });
    EXPECT_THAT(message, HasSubstr(corrupt.message));
    EXPECT_THAT(message, HasSubstr(file.string()));
  }
}

TEST(Safetensors, RefusesWhatIsNoFile) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(test::error_of([&] { (void)read_safetensors(folder.path() / "none"); }),
              HasSubstr("No such file"));
  EXPECT_THAT(test::error_of([&] { (void)read_safetensors(folder.path()); }),
              HasSubstr("not a regular file"));
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "whole";
  write_safetensors({{"a", at::ones({3})}, {"b", at::zeros({2, 2}, at::kHalf)}}, file);
  const std::string whole = test::read_file(file);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    test::write_file(folder.path() / "cut", whole.substr(0, size));
    EXPECT_NE(test::error_of([&] { (void)read_safetensors(folder.path() / "cut"); }), "")
        << "cut to " << size << " bytes";
  }
}

TEST(Safetensors, WritesAndReadsEveryType) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "types.safetensors";
  std::vector<sdk::NamedTensor> tensors;
  for (const at::ScalarType type : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                    at::kInt, at::kByte, at::kBool})
    tensors.push_back({at::toString(type), at::arange(6).view({2, 3}).to(type)});
  tensors.push_back({"scalar", at::scalar_tensor(1.5)});
  tensors.push_back({"empty", at::empty({0, 4})});
  tensors.push_back({"transposed", at::arange(6).view({2, 3}).t()});
  tensors.push_back({"name with \"quotes\" and é", at::ones({1})});
  write_safetensors(tensors, file, {{"format", "pt"}});
  const auto read = read_safetensors(file);
  ASSERT_EQ(read.size(), tensors.size());
  for (const sdk::NamedTensor& expected : tensors) {
    SCOPED_TRACE(expected.name);
    const auto found = std::find_if(read.begin(), read.end(),
                                    [&](const auto& t) { return t.name == expected.name; });
    ASSERT_NE(found, read.end());
    EXPECT_EQ(found->value.scalar_type(), expected.value.scalar_type());
    EXPECT_TRUE(at::equal(found->value, expected.value));
  }
}

TEST(Safetensors, WriterLeavesNothingBehindOnFailure) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(test::error_of([&] {
                write_safetensors({{"a", at::ones({1})}, {"a", at::ones({1})}},
                                  folder.path() / "twice");
              }),
              HasSubstr("'a' is taken"));
  EXPECT_THAT(test::error_of([&] {
                write_safetensors({{"a", at::ones({1})}}, folder.path() / "no" / "folder");
              }),
              HasSubstr("cannot write"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace petlab::clip
