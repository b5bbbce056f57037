#include "petlab/pretrain/augmentation.hpp"

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
  const at::Tensor planes = augment(pictures, at::zeros({64}, at::kBool), generator);
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
  EXPECT_TRUE(
      augment(black_squares(16), colour, first).equal(augment(black_squares(16), colour, second)));
}

TEST(Augmentation, GivesInkOnlyToPicturesWithoutColour) {
  at::Generator generator = at::detail::createCPUGenerator(5);
  const at::Tensor planes = augment(black_squares(200), at::ones({200}, at::kBool), generator);
  const at::Tensor chroma = planes.amax(1) - planes.amin(1);
  EXPECT_LT(chroma.max().item<float>(), 1e-5F);  // black squares have no channels to exchange
}

}  // namespace
}  // namespace petlab::pretrain
