#include "petlab/engine/augmentation.hpp"

#include "petlab/datasets/resize.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <utility>

namespace petlab::engine {
namespace {

at::Tensor ramp(std::int64_t size) {
  return at::arange(3 * size * size).remainder(251).to(at::kByte).view({3, size, size});
}

TEST(Augmentation, IsTheSameForTheSameSeed) {
  const at::Tensor image = ramp(24);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const at::Tensor view = augment(image, Augmentation::crop_flip, seed);
    EXPECT_EQ(view.sizes(), image.sizes());
    EXPECT_EQ(view.scalar_type(), at::kByte);
    EXPECT_TRUE(at::equal(view, augment(image, Augmentation::crop_flip, seed)));
  }
  EXPECT_FALSE(at::equal(augment(image, Augmentation::crop_flip, 1),
                         augment(image, Augmentation::crop_flip, 2)));
}

TEST(Augmentation, FlipsHalfOfTheImages) {
  const at::Tensor image = ramp(8);
  int flipped = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const bool is_flipped = view_of(Augmentation::flip, seed) == 1;
    flipped += is_flipped ? 1 : 0;
    EXPECT_TRUE(
        at::equal(augment(image, Augmentation::flip, seed), is_flipped ? image.flip({2}) : image));
    EXPECT_EQ(view_of(Augmentation::none, seed), 0);
  }
  EXPECT_NEAR(flipped, 500, 60);
  EXPECT_TRUE(at::equal(augment(image, Augmentation::none, 3), image));
}

TEST(Augmentation, CropsStayInsideAndKeepTheirProportions) {
  constexpr std::int64_t kSize = 64;
  double area = 0.0;
  for (std::uint64_t seed = 0; seed < 20000; ++seed) {
    const Crop crop = random_crop(kSize, kSize, seed);
    EXPECT_GE(crop.top, 0);
    EXPECT_GE(crop.left, 0);
    EXPECT_LE(crop.top + crop.height, kSize);
    EXPECT_LE(crop.left + crop.width, kSize);
    const double aspect = static_cast<double>(crop.width) / static_cast<double>(crop.height);
    EXPECT_GT(aspect, 0.70);
    EXPECT_LT(aspect, 1.43);
    area += static_cast<double>(crop.width * crop.height) / (kSize * kSize);
  }
  // From torchvision's procedure, run in Python: less than the 0.54 of the uniform area, for large
  // crops that do not fit are drawn again.
  EXPECT_NEAR(area / 20000, 0.484, 0.006);
}

TEST(Augmentation, CropsOfAnyShapeStayInside) {
  for (const auto& [height, width] : {std::pair{400, 40}, {1, 1}, {1, 3000}, {37, 53}, {3000, 2}})
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      const Crop crop = random_crop(height, width, seed);
      EXPECT_GE(crop.height, 1);
      EXPECT_GE(crop.width, 1);
      EXPECT_GE(crop.top, 0);
      EXPECT_GE(crop.left, 0);
      EXPECT_LE(crop.top + crop.height, height);
      EXPECT_LE(crop.left + crop.width, width);
    }
  // No crop of 8 % with an aspect up to 4/3 fits: the largest one in the centre, as torchvision's.
  const Crop tall = random_crop(400, 10, 1);
  EXPECT_EQ(tall.width, 10);
  EXPECT_EQ(tall.height, 13);  // 10 / (3/4)
  EXPECT_EQ(tall.top, 193);
  EXPECT_EQ(tall.left, 0);
  const Crop wide = random_crop(10, 400, 1);
  EXPECT_EQ(wide.width, 13);
  EXPECT_EQ(wide.height, 10);
  EXPECT_EQ(wide.left, 193);
}

TEST(Augmentation, ACropIsThatPartOfTheOriginalResizedByPillowsFilter) {
  datasets::Image original{50, 34, {}};
  for (int i = 0; i < 3 * 50 * 34; ++i)
    original.rgb.push_back(static_cast<std::uint8_t>((i * i + 7 * i) % 251));
  const at::Tensor planes =
      at::from_blob(original.rgb.data(), {34, 50, 3}, at::kByte).permute({2, 0, 1});
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Crop crop = random_crop(34, 50, seed);
    const at::Tensor part = planes.narrow(1, crop.top, crop.height)
                                .narrow(2, crop.left, crop.width)
                                .permute({1, 2, 0})
                                .contiguous();
    const auto* bytes = part.const_data_ptr<std::uint8_t>();
    datasets::Image expected = datasets::resize_bicubic({static_cast<int>(crop.width),
                                                         static_cast<int>(crop.height),
                                                         {bytes, bytes + part.numel()}},
                                                        16, 16);
    at::Tensor view = at::from_blob(expected.rgb.data(), {16, 16, 3}, at::kByte).permute({2, 0, 1});
    if (view_of(Augmentation::flip, seed) == 1) view = view.flip({2});
    EXPECT_TRUE(at::equal(crop_and_flip(original, 16, seed), view)) << seed;
  }
}

}  // namespace
}  // namespace petlab::engine
