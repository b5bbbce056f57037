#include "petlab/base/sha256.hpp"

#include "petlab/base/error.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace petlab::base {
namespace {

// The published test vectors (FIPS 180-4).
constexpr const char* kOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kOfAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(sha256_hex(""), kOfNothing);
  EXPECT_EQ(sha256_hex("abc"), kOfAbc);
}

TEST(Sha256, TakesItsBytesInPieces) {
  Sha256 hash;
  hash.update("a");
  hash.update(std::array<std::uint8_t, 1>{'b'});
  hash.update("c", 1);
  EXPECT_EQ(hash.finish_hex(), kOfAbc);
  Sha256 digest;
  digest.update("abc");
  EXPECT_EQ(to_hex(digest.finish()), kOfAbc);
}

TEST(Sha256, KeepsTextsApartThatAreAddedWithTheirLengths) {
  const auto of = [](std::string_view first, std::string_view second) {
    Sha256 hash;
    hash.update_text(first);
    hash.update_text(second);
    return hash.finish_hex();
  };
  EXPECT_NE(of("ab", "c"), of("a", "bc"));
  EXPECT_EQ(of("ab", "c"), of("ab", "c"));
}

TEST(Sha256, ReadsAFileAndNamesOneThatItCannotRead) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "sha256_of_file";
  std::ofstream(file, std::ios::binary) << "abc";
  EXPECT_EQ(sha256_of_file(file), kOfAbc);
  std::filesystem::remove(file);
  try {
    (void)sha256_of_file(file);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_NE(std::string(error.what()).find(file.string()), std::string::npos);
  }
}

}  // namespace
}  // namespace petlab::base
