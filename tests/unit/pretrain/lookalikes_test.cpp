#include "petlab/pretrain/lookalikes.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace petlab::pretrain {
namespace {

constexpr std::int64_t kSize = 48;

/// A ring, a cross, stripes, a stair: four drawings that no hash takes for each other.
at::Tensor drawing(int which) {
  at::Tensor picture = at::full({kSize, kSize, 3}, 255, at::kByte);
  const auto box = [&](std::int64_t y, std::int64_t x, std::int64_t height, std::int64_t width,
                       int value) {
    picture.narrow(0, y, height).narrow(1, x, width).fill_(value);
  };
  if (which == 0) {
    box(6, 6, 36, 36, 0);
    box(12, 12, 24, 24, 255);
  } else if (which == 1) {
    box(20, 4, 8, 40, 0);
    box(4, 20, 40, 8, 0);
  } else if (which == 2) {
    for (std::int64_t y = 4; y < 44; y += 12)
      box(y, 4, 6, 40, 0);
  } else {
    for (std::int64_t i = 0; i < 5; ++i)
      box(4 + 8 * i, 4 + 8 * i, 8, 40 - 8 * i, 0);
  }
  return picture;
}

TEST(Lookalikes, AreFoundWhateverTheirColour) {
  at::Tensor tinted = drawing(2);
  tinted.select(2, 0).add_((tinted.select(2, 0) == 0).to(at::kByte) * 60);
  const at::Tensor pool = at::stack({drawing(0), drawing(1), tinted, drawing(3)});
  const at::Tensor evaluation = at::stack({drawing(2), drawing(0)});
  for (const int threads : {1, 3}) {
    const std::vector<Lookalike> found = find_lookalikes(pool, evaluation, kAlikeBits, threads);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].picture, 0);
    EXPECT_EQ(found[0].evaluation, 1);
    EXPECT_EQ(found[0].distance, 0);
    EXPECT_EQ(found[1].picture, 2);
    EXPECT_EQ(found[1].evaluation, 0);
  }
}

TEST(Lookalikes, DoNotIncludeEmptyPaper) {
  const at::Tensor paper = at::full({1, kSize, kSize, 3}, 255, at::kByte);
  EXPECT_TRUE(find_lookalikes(paper, paper, kAlikeBits, 1).empty());
}

}  // namespace
}  // namespace petlab::pretrain
