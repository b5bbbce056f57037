#include "petlab/pretrain/appearance.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>

namespace petlab::pretrain {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kSide = 16;
using Picture = std::vector<std::uint8_t>;

Picture paper() {
  return Picture(kSide * kSide * 3, 255);
}

void fill(Picture& picture, int from, int to, std::array<std::uint8_t, 3> colour) {
  for (int y = from; y < to; ++y)
    for (int x = from; x < to; ++x)
      std::copy(colour.begin(), colour.end(), picture.begin() + (y * kSide + x) * 3);
}

TEST(Style, IsSeenInThePicture) {
  Picture solid = paper();
  fill(solid, 2, 14, {0, 0, 0});
  EXPECT_EQ(style_of(solid.data(), kSide), Style::solid);
  Picture outline = solid;
  fill(outline, 4, 12, {255, 255, 255});
  EXPECT_EQ(style_of(outline.data(), kSide), Style::outline);
  Picture colour = solid;
  fill(colour, 4, 12, {200, 20, 20});
  EXPECT_EQ(style_of(colour.data(), kSide), Style::colour);
  Picture grey = paper();
  fill(grey, 2, 14, {150, 150, 150});
  EXPECT_EQ(style_of(grey.data(), kSide), Style::grey);
}

TEST(Appearance, NamesTheColoursWithTheLargestFirst) {
  Picture picture = paper();
  fill(picture, 1, 15, {210, 30, 30});
  fill(picture, 1, 10, {30, 60, 200});
  fill(picture, 6, 7, {20, 160, 40});  // one pixel of 196
  const Appearance seen = measure(picture.data(), kSide);
  EXPECT_THAT(seen.colours, ElementsAre(Colour::red, Colour::blue));
  EXPECT_EQ(seen.hues, 2);
  EXPECT_DOUBLE_EQ(seen.ink_share, 196.0 / 256.0);
}

TEST(Appearance, OfBlackDrawingsIsBlackAndOfEmptyPaperNothing) {
  Picture picture = paper();
  EXPECT_THAT(measure(picture.data(), kSide).colours, IsEmpty());
  EXPECT_EQ(measure(picture.data(), kSide).edge_density, 0.0);
  fill(picture, 4, 12, {0, 0, 0});
  const Appearance seen = measure(picture.data(), kSide);
  EXPECT_THAT(seen.colours, ElementsAre(Colour::black));
  EXPECT_EQ(seen.hues, 0);
  EXPECT_DOUBLE_EQ(seen.edge_density, 32.0 / 32.0);  // a square: two changes in 8 rows and columns
}

TEST(Colours, HaveTheNamesThatPeopleGiveThem) {
  EXPECT_EQ(colour_of(255, 0, 0), Colour::red);
  EXPECT_EQ(colour_of(255, 140, 0), Colour::orange);
  EXPECT_EQ(colour_of(255, 220, 40), Colour::yellow);
  EXPECT_EQ(colour_of(40, 160, 60), Colour::green);
  EXPECT_EQ(colour_of(30, 90, 220), Colour::blue);
  EXPECT_EQ(colour_of(130, 50, 200), Colour::purple);
  EXPECT_EQ(colour_of(255, 170, 180), Colour::pink);
  EXPECT_EQ(colour_of(120, 70, 30), Colour::brown);
  EXPECT_EQ(colour_of(10, 10, 10), Colour::black);
  EXPECT_EQ(colour_of(130, 130, 130), Colour::grey);
  EXPECT_EQ(colour_of(250, 250, 250), Colour::white);
  EXPECT_EQ(name_of(Colour::purple), "purple");
}

}  // namespace
}  // namespace petlab::pretrain
