#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/mapped_file.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/sha256.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <fstream>

namespace petlab::base {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  template <typename Work>
  [[nodiscard]] static std::string refusal(ErrorKind kind, Work work) {
    try {
      work();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind);
      return error.what();
    }
    return "";
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / "petlab_base_files";
};

TEST_F(Files, AreWholeOrAsTheyWere) {
  const fs::path file = folder_ / "a.txt";
  write_file(file, "old");
  {
    AtomicFile draft(file);
    draft.write("half of the n");
    EXPECT_EQ(read_text_file(file), "old");
  }
  EXPECT_EQ(read_text_file(file), "old");
  EXPECT_EQ(count(), 1U);
  write_file(file, std::vector<std::uint8_t>{'n', 'e', 'w'}, {.durability = Durability::process});
  EXPECT_EQ(read_text_file(file), "new");
  EXPECT_EQ(read_file(file), (std::vector<std::uint8_t>{'n', 'e', 'w'}));
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, DraftsBeginWithTheNameOfTheirFile) {
  AtomicFile draft(folder_ / "a.txt");
  ASSERT_EQ(count(), 1U);
  EXPECT_THAT(fs::directory_iterator(folder_)->path().filename().string(),
              testing::StartsWith("a.txt.part"));
}

TEST_F(Files, TwoDraftsOfOneFileDoNotMeet) {
  const fs::path file = folder_ / "a.txt";
  AtomicFile one(file), other(file);
  one.write("one");
  other.write("other");
  one.commit();
  EXPECT_EQ(read_text_file(file), "one");
  other.commit();
  EXPECT_EQ(read_text_file(file), "other");
}

TEST_F(Files, ClosedDraftsAreCommittedLaterOrRemoved) {
  const fs::path file = folder_ / "a.txt";
  write_file(file, "old");
  {
    AtomicFile draft(file);
    draft.write("new");
    draft.close();
    EXPECT_EQ(read_text_file(file), "old");
  }
  EXPECT_EQ(count(), 1U);
  AtomicFile draft(file);
  draft.write("new");
  draft.close();
  draft.commit();
  EXPECT_EQ(read_text_file(file), "new");
  EXPECT_EQ(count(), 1U);
}

TEST_F(Files, WritingNamesTheFileAndTheReason) {
  const fs::path file = folder_ / "no" / "a.txt";
  EXPECT_THAT(
      refusal(ErrorKind::store, [&] { write_file(file, "x", {.failure = ErrorKind::store}); }),
      AllOf(HasSubstr("cannot write the file '" + file.string()), HasSubstr("No such")));
  write_file(file, "x", {.make_folders = true});
  EXPECT_EQ(read_text_file(file), "x");
}

TEST_F(Files, ReadingNamesTheFileAndTheReason) {
  const fs::path file = folder_ / "a\nb";
  EXPECT_THAT(
      refusal(ErrorKind::data, [&] { (void)read_file(file); }),
      AllOf(HasSubstr("cannot read the file '"), HasSubstr("a\\x0Ab'"), HasSubstr("No such")));
  EXPECT_THAT(refusal(ErrorKind::data, [&] { (void)read_text_file(folder_); }),
              HasSubstr("is a folder, expected a file"));
  write_file(file, "12345");
  EXPECT_THAT(refusal(ErrorKind::data, [&] { (void)read_text_file(file, 4); }),
              HasSubstr("has 5 bytes, expected at most 4"));
  EXPECT_EQ(read_text_file(file, 5), "12345");
}

TEST_F(Files, AreSeenThroughAMapping) {
  const fs::path file = folder_ / "a.bin";
  write_file(file, "12345");
  const MappedFile mapping(file);
  EXPECT_EQ(std::string(mapping.bytes().begin(), mapping.bytes().end()), "12345");
  mapping.drop(0, 5);
  EXPECT_EQ(mapping.bytes()[4], '5');
  write_file(folder_ / "empty", "");
  EXPECT_TRUE(MappedFile(folder_ / "empty").bytes().empty());
  EXPECT_THAT(refusal(ErrorKind::data, [&] { const MappedFile none(folder_); }),
              HasSubstr("is not a regular file"));
}

TEST_F(Files, FollowNoLinkAndWriteIntoNothingThatIsThere) {
  // Where the next drafts would be, for as many names as a test can lay out.
  write_file(folder_ / "precious", "kept");
  const fs::path file = folder_ / "a.txt";
  std::string first;
  {
    const AtomicFile draft(file);
    for (const auto& entry : fs::directory_iterator(folder_))
      if (entry.path().filename().string().starts_with("a.txt.part")) first = entry.path().string();
  }
  const auto dot = first.rfind('.');
  const int number = std::stoi(first.substr(dot + 1));
  for (int i = 1; i < 20; ++i) {
    const fs::path next = first.substr(0, dot + 1) + std::to_string(number + i);
    if (i % 2 == 0)
      fs::create_symlink(folder_ / "precious", next);
    else
      fs::create_hard_link(folder_ / "precious", next);
  }
  write_file(file, "new");
  EXPECT_EQ(read_text_file(file), "new");
  EXPECT_EQ(read_text_file(folder_ / "precious"), "kept");
  EXPECT_FALSE(fs::is_symlink(file));
}

TEST_F(Files, PrivateFoldersAreNewEmptyAndGoAway) {
  fs::path one, other;
  {
    const PrivateFolder a("petlab-test"), b("petlab-test");
    one = a.path();
    other = b.path();
    EXPECT_NE(one, other);
    EXPECT_TRUE(fs::is_empty(one));
    EXPECT_EQ(fs::status(one).permissions() & fs::perms::all, fs::perms::owner_all);
    write_file(one / "deep" / "a", "x", {.make_folders = true});
  }
  EXPECT_FALSE(fs::exists(one));
  EXPECT_FALSE(fs::exists(other));
}

TEST_F(Files, HashesOfPipesAreRefused) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(refusal(ErrorKind::data, [&] { (void)sha256_of_file(pipe); }),
              HasSubstr("is not a regular file"));
}

}  // namespace
}  // namespace petlab::base
