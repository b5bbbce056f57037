#include "petlab/datasets/image_cache.hpp"

#include "petlab/datasets/resize.hpp"
#include "test_support.hpp"

#include <ATen/ATen.h>

#include <fstream>

namespace petlab::datasets {
namespace {

using ::testing::HasSubstr;

class ImageCacheTest : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    unsigned seed = 0;
    for (const std::string domain : {"a", "b"}) {
      for (const std::string class_name : {"x", "y"}) {
        for (int i = 0; i < 3; ++i) {
          write("data/" + domain + "/" + class_name + "/" + std::to_string(i) + ".png",
                encode_png(pattern(40, 30, ++seed)));
        }
      }
    }
    options_.directory = root() / "cache";
  }
  [[nodiscard]] Dataset load() const { return load_folder(root() / "data"); }

  CacheOptions options_;
};

TEST_F(ImageCacheTest, HoldsTheCroppedPicturesOfEachDomain) {
  const Dataset dataset = load();
  std::size_t calls = 0;
  options_.progress = [&](std::size_t, std::size_t total) {
    ++calls;
    EXPECT_EQ(total, 12U);
  };
  const ImageCache cache(dataset, 16, options_);
  EXPECT_TRUE(cache.built_now());
  EXPECT_EQ(calls, 12U);
  for (std::size_t d = 0; d < 2; ++d) {
    const at::Tensor images = cache.images(d);
    ASSERT_EQ(images.sizes(), at::IntArrayRef({6, 3, 16, 16}));
    ASSERT_EQ(images.scalar_type(), at::kByte);
    for (std::int64_t i = 0; i < 6; ++i) {
      Image expected =
          clip_crop(decode_image(dataset.domains[d].samples[static_cast<std::size_t>(i)].file), 16);
      const at::Tensor rgb =
          at::from_blob(expected.rgb.data(), {16, 16, 3}, at::kByte).permute({2, 0, 1});
      EXPECT_TRUE(at::equal(images[i], rgb));
    }
  }
  EXPECT_THROW((void)cache.images(2), sdk::Error);
}

TEST_F(ImageCacheTest, IsBuiltOnceAndKeptByItsTensors) {
  at::Tensor images;
  {
    const ImageCache first(load(), 16, options_);
    images = first.images(1);
  }
  const at::Tensor copy = images.clone();
  const ImageCache second(load(), 16, options_);
  EXPECT_FALSE(second.built_now());
  EXPECT_TRUE(at::equal(second.images(1), copy));
  EXPECT_TRUE(at::equal(images, copy));
  EXPECT_TRUE(ImageCache(load(), 24, options_).built_now()) << "another size, another file";
}

TEST_F(ImageCacheTest, RebuildsWhatIsCutShortOrChanged) {
  const ImageCache good(load(), 16, options_);
  const at::Tensor expected = good.images(0).clone();
  const auto size = std::filesystem::file_size(good.file());
  std::filesystem::copy_file(good.file(), root() / "copy");  // the open mapping keeps its own file
  std::filesystem::remove(good.file());
  std::filesystem::rename(root() / "copy", good.file());

  std::filesystem::resize_file(good.file(), size - 100);
  const ImageCache after_cut(load(), 16, options_);
  EXPECT_TRUE(after_cut.built_now());
  EXPECT_TRUE(at::equal(after_cut.images(0), expected));

  for (const std::uintmax_t position : {std::uintmax_t{20}, size / 2, size - 1}) {
    std::string bytes = text_of(good.file());
    bytes[position] = static_cast<char>(bytes[position] ^ 1);
    std::filesystem::remove(good.file());
    write("cache/" + good.file().filename().string(), bytes);
    const ImageCache after(load(), 16, options_);
    EXPECT_TRUE(after.built_now()) << position;
    EXPECT_TRUE(at::equal(after.images(0), expected));
  }
}

TEST_F(ImageCacheTest, FollowsTheDataAndNotTheThreads) {
  options_.threads = 1;
  const ImageCache one(load(), 16, options_);
  const at::Tensor expected = one.images(0).clone();
  options_.threads = 4;
  options_.directory = root() / "other";
  EXPECT_TRUE(at::equal(ImageCache(load(), 16, options_).images(0), expected));
  write("data/a/x/0.png", encode_png(pattern(40, 30, 88)));
  const ImageCache changed(load(), 16, options_);
  EXPECT_TRUE(changed.built_now());
  EXPECT_FALSE(at::equal(changed.images(0), expected));
}

TEST_F(ImageCacheTest, NamesTheDamagedPictureAndLeavesNothingBehind) {
  write("data/b/y/1.png", "no picture");
  EXPECT_THAT(error_of([&] { ImageCache(load(), 16, options_); }),
              HasSubstr("b/y/1.png is neither a JPEG nor a PNG picture"));
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory)) {
    EXPECT_EQ(entry.path().extension(), ".lock");
  }
  EXPECT_THROW(ImageCache(load(), 0, options_), sdk::Error);
  options_.directory = "/proc/petlab";
  EXPECT_THAT(error_of([&] { ImageCache(load(), 16, options_); }), HasSubstr("/proc/petlab"));
}

}  // namespace
}  // namespace petlab::datasets
