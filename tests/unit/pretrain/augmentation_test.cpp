#include "petlab/pretrain/augmentation.hpp"

#include "petlab/pretrain/appearance.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

namespace petlab::pretrain {
namespace {

at::Tensor black_squares(std::int64_t batch) {
  at::Tensor pictures = at::full({batch, 24, 24, 3}, 255, at::kByte);
  pictures.slice(1, 8, 16).slice(2, 8, 16).fill_(0);
  return pictures;
}

TEST(Augmentation, KeepsShapeAndRange) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  const at::Tensor pictures = black_squares(64);
  const at::Tensor planes = augment(pictures, at::zeros({64}, at::kBool), generator).planes;
  EXPECT_EQ(planes.sizes(), at::IntArrayRef({64, 3, 24, 24}));
  EXPECT_GE(planes.min().item<float>(), -1e-5F);
  EXPECT_LE(planes.max().item<float>(), 1.0F + 1e-5F);
  // The pictures themselves stay as they are: they are mapped from a file.
  EXPECT_TRUE(pictures.equal(black_squares(64)));
}

TEST(Augmentation, IsTheSameForTheSameSeed) {
  at::Generator first = at::detail::createCPUGenerator(5);
  at::Generator second = at::detail::createCPUGenerator(5);
  const at::Tensor colour = at::ones({16}, at::kBool);
  EXPECT_TRUE(augment(black_squares(16), colour, first)
                  .planes.equal(augment(black_squares(16), colour, second).planes));
}

TEST(Augmentation, GivesInkOnlyToPicturesWithoutColour) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  const at::Tensor planes =
      augment(black_squares(200), at::ones({200}, at::kBool), generator).planes;
  const at::Tensor chroma = planes.amax(1) - planes.amin(1);
  EXPECT_LT(chroma.max().item<float>(), 1e-5F);  // black squares have no channels to exchange
}

TEST(Augmentation, SaysWhatBecameOfTheColours) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  const Augmented result = augment(black_squares(300), at::zeros({300}, at::kBool), generator);
  int inked = 0;
  for (std::int64_t i = 0; i < 300; ++i) {
    const ColourChange& change = result.changes[static_cast<std::size_t>(i)];
    EXPECT_FALSE(change.is_greyed || change.is_exchanged);  // black has no colours to change
    const at::Tensor picture = result.planes[i];
    // The paper's corner is white unless the picture was inverted; the middle has the ink.
    EXPECT_EQ(picture[0][0][0].item<float>() < 0.5F, change.is_inverted);
    const at::Tensor middle = (picture.select(2, 12).select(1, 12) * 255.0).to(at::kInt);
    if (change.is_inked && !change.is_inverted) {
      ++inked;
      EXPECT_EQ(colour_of(middle[0].item<int>(), middle[1].item<int>(), middle[2].item<int>()),
                change.ink);
    }
  }
  EXPECT_GT(inked, 60);
}

}  // namespace
}  // namespace petlab::pretrain
