#include "petlab/engine/augmentation.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

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
    const Crop crop = random_crop(kSize, seed);
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

}  // namespace
}  // namespace petlab::engine
