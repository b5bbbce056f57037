#include "petlab/pretrain/facts.hpp"

#include <gmock/gmock.h>

namespace petlab::pretrain {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Appearance red_and_blue() {
  return {.style = Style::colour,
          .colours = {Colour::red, Colour::blue},
          .hues = 2,
          .ink_share = 0.5,
          .edge_density = 3.0,
          .has_thick_parts = true};
}

TEST(Facts, ComeFromPixelsAndNames) {
  const PictureFacts facts = facts_of(red_and_blue(), false, "pencil-rounded", "some-set", 7);
  EXPECT_EQ(facts.bits, fact::of(Style::colour) | fact::of(Colour::red) | fact::of(Colour::blue) |
                            fact::kRounded);
  EXPECT_EQ(facts.set, 7);
  // A set of pencil drawings is drawn by hand; an icon of a pencil need not be.
  EXPECT_NE(facts_of(red_and_blue(), false, "car", "pepicons-pencil", 7).bits & fact::kHandDrawn,
            0U);
}

TEST(Facts, KnowEmojiFromTheSetAndThinLinesFromTheInk) {
  EXPECT_NE(facts_of(red_and_blue(), true, "car", "x", 0).bits & fact::of(Style::emoji), 0U);
  const Appearance outline{.style = Style::outline,
                           .colours = {Colour::black},
                           .hues = 0,
                           .ink_share = 0.1,
                           .edge_density = 1.0,
                           .has_thick_parts = false};
  // An emoji vendor's line drawing is a line drawing.
  const FactBits bits = facts_of(outline, true, "car", "x", 0).bits;
  EXPECT_EQ(bits, fact::of(Style::outline) | fact::of(Colour::black) | fact::kThin | fact::kSimple);
}

TEST(Facts, FollowWhatAugmentationDidToTheColours) {
  const PictureFacts facts = facts_of(red_and_blue(), false, "car", "x", 0);
  EXPECT_EQ(changed(facts, {}).bits, facts.bits);
  const PictureFacts exchanged = changed(facts, {.is_exchanged = true});
  EXPECT_EQ(exchanged.bits, fact::of(Style::colour));
  EXPECT_THAT(exchanged.colours, IsEmpty());
  const PictureFacts greyed = changed(facts, {.is_greyed = true});
  EXPECT_EQ(greyed.bits, fact::of(Colour::grey));
  EXPECT_THAT(greyed.colours, ElementsAre(Colour::grey));
  const PictureFacts inverted = changed(facts, {.is_inverted = true});
  EXPECT_EQ(inverted.bits, fact::of(Style::colour) | fact::kInverted);
  const PictureFacts inked = changed(facts, {.is_inked = true, .ink = Colour::green});
  EXPECT_THAT(inked.colours, ElementsAre(Colour::green));
}

TEST(Facts, HaveABitEach) {
  EXPECT_EQ(fact::of(Style::outline), 1U);
  EXPECT_EQ(fact::kInverted, FactBits{1} << 26U);
  EXPECT_EQ(fact::kAllColours & fact::of(Style::emoji), 0U);
  EXPECT_EQ(fact::kAllColours & fact::kColourful, 0U);
}

}  // namespace
}  // namespace petlab::pretrain
