#include "petlab/pretrain/captions.hpp"

#include <gmock/gmock.h>

#include <set>

namespace petlab::pretrain {
namespace {

constexpr int kSize = 16;
using Picture = std::vector<std::uint8_t>;

Picture paper() {
  return Picture(kSize * kSize * 3, 255);
}

void fill(Picture& picture, int from, int to, std::array<std::uint8_t, 3> colour) {
  for (int y = from; y < to; ++y)
    for (int x = from; x < to; ++x)
      std::copy(colour.begin(), colour.end(), picture.begin() + (y * kSize + x) * 3);
}

TEST(Style, IsSeenInThePicture) {
  Picture solid = paper();
  fill(solid, 2, 14, {0, 0, 0});
  EXPECT_EQ(style_of(solid.data(), kSize), Style::solid);
  Picture outline = solid;
  fill(outline, 4, 12, {255, 255, 255});
  EXPECT_EQ(style_of(outline.data(), kSize), Style::outline);
  Picture colour = solid;
  fill(colour, 4, 12, {200, 20, 20});
  EXPECT_EQ(style_of(colour.data(), kSize), Style::colour);
  Picture grey = paper();
  fill(grey, 2, 14, {150, 150, 150});
  EXPECT_EQ(style_of(grey.data(), kSize), Style::grey);
}

TEST(Captions, NameTheSubjectAndSometimesTheStyle) {
  datasets::SplitMix64 generator(3);
  std::set<std::string> plain;
  std::set<std::string> styled;
  for (int i = 0; i < 500; ++i) {
    const Caption caption = draw_caption("umbrella", Style::solid, generator);
    EXPECT_THAT(caption.text, testing::HasSubstr("umbrella"));
    EXPECT_THAT(caption.text,
                testing::Not(testing::AnyOf(testing::HasSubstr("{}"), testing::HasSubstr("[]"))));
    (caption.names_style ? styled : plain).insert(caption.text);
  }
  EXPECT_TRUE(plain.contains("umbrella"));
  EXPECT_TRUE(plain.contains("a photo of a umbrella"));
  EXPECT_TRUE(styled.contains("solid umbrella"));
  for (const std::string& text : styled)
    EXPECT_FALSE(plain.contains(text)) << text;
}

TEST(Captions, UseSynonyms) {
  datasets::SplitMix64 generator(3);
  std::set<std::string> texts;
  for (int i = 0; i < 200; ++i)
    texts.insert(draw_caption("television", Style::outline, generator).text);
  EXPECT_TRUE(texts.contains("television"));
  EXPECT_TRUE(texts.contains("tv"));
}

}  // namespace
}  // namespace petlab::pretrain
