#include "petlab/datasets/original_images.hpp"

#include "test_support.hpp"

#include <cstddef>

namespace petlab::datasets {
namespace {

using ::testing::HasSubstr;

class OriginalImagesTest : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    for (const std::string domain : {"a", "b"})
      for (int i = 0; i < 3; ++i)
        write("data/" + domain + "/x/" + std::to_string(i) + ".png",
              encode_png(pattern(40 + i, domain == "a" ? 30 : 20, static_cast<unsigned>(i))));
    options_.directory = root() / "cache";
  }
  [[nodiscard]] Dataset load() const { return load_folder(root() / "data"); }
  [[nodiscard]] std::string error_of_opening(const std::string& fingerprint) const {
    return error_of([&] { const OriginalImages opened(fingerprint, {3, 3}, options_.directory); });
  }

  CacheOptions options_;
};

TEST_F(OriginalImagesTest, AreTheImagesOfTheFilesAtTheirOwnSize) {
  const Dataset dataset = load();
  std::size_t calls = 0;
  options_.progress = [&](const CacheProgress& now) {
    EXPECT_EQ(now.done, ++calls);
    EXPECT_EQ(now.total, 6U);
  };
  const OriginalImages written(dataset, options_);
  EXPECT_EQ(calls, 6U);
  const OriginalImages again(dataset, options_);
  EXPECT_EQ(calls, 6U) << "written once";
  // Without the data set's folder.
  std::filesystem::remove_all(root() / "data");
  const OriginalImages opened(dataset.fingerprint, {3, 3}, options_.directory);
  for (int i = 0; i < 3; ++i) {
    const Image image = opened.decode(1, i);
    EXPECT_EQ(image.width, 40 + i);
    EXPECT_EQ(image.height, 20);
    EXPECT_EQ(image.rgb, pattern(40 + i, 20, static_cast<unsigned>(i)).rgb);
  }
  EXPECT_THROW((void)opened.decode(1, 3), base::Error);
  EXPECT_THROW((void)opened.decode(2, 0), base::Error);
}

TEST_F(OriginalImagesTest, AFileThatIsNotWholeIsWrittenAnewAndNeverUsed) {
  const Dataset dataset = load();
  EXPECT_THAT(error_of_opening(dataset.fingerprint), HasSubstr("start the study again"));
  const std::filesystem::path file = OriginalImages(dataset, options_).file();
  const std::string whole = text_of(file);
  // Cut, in the index, in the footer; one of another number of images.
  std::string in_index = whole;
  in_index[whole.size() - 100] ^= 1;
  std::string in_footer = whole;
  in_footer[whole.size() - 60] ^= 1;
  for (const std::string& bytes : {whole.substr(0, whole.size() - 1), whole.substr(1), in_index,
                                   in_footer, std::string(), std::string("x")}) {
    std::filesystem::remove(file);
    write("cache/" + file.filename().string(), bytes);
    EXPECT_THAT(error_of_opening(dataset.fingerprint), HasSubstr("not whole"));
    const OriginalImages anew(dataset, options_);
    EXPECT_EQ(text_of(file), whole);
  }
  EXPECT_THROW(OriginalImages(dataset.fingerprint, {3, 4}, options_.directory), base::Error);
}

TEST_F(OriginalImagesTest, AChangedImageIsAnError) {
  const Dataset dataset = load();
  {
    const std::filesystem::path file = OriginalImages(dataset, options_).file();
    std::string bytes = text_of(file);
    bytes[40] ^= 1;  // of the first image
    std::filesystem::remove(file);
    write("cache/" + file.filename().string(), bytes);
    const OriginalImages opened(dataset.fingerprint, {3, 3}, options_.directory);
    EXPECT_THAT(error_of([&] { (void)opened.decode(0, 0); }), HasSubstr("is damaged"));
    EXPECT_NO_THROW((void)opened.decode(0, 1));
    std::filesystem::remove(file);
  }
  write("data/b/x/1.png", encode_png(pattern(40, 30, 99)));
  const std::string said = error_of([&] { const OriginalImages written(dataset, options_); });
  EXPECT_THAT(said, HasSubstr("b/x/1.png"));
  EXPECT_THAT(said, HasSubstr("changed while petlab was at work"));
  EXPECT_THAT(error_of_opening(dataset.fingerprint), HasSubstr("are not there"));
}

TEST_F(OriginalImagesTest, NeedAFolderThatCanBeWritten) {
  write("file", std::string_view("x"));
  options_.directory = root() / "file";
  try {
    const OriginalImages written(load(), options_);
    FAIL();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.kind(), base::ErrorKind::config);
  }
}

}  // namespace
}  // namespace petlab::datasets
