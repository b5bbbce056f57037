#include "petlab/pretrain/captions.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

namespace petlab::pretrain {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

/// Things to say of a red umbrella, and what is true of the picture.
struct Umbrella {
  std::string subject = "umbrella";
  std::vector<std::string> own_names{"parasol"};
  std::vector<std::string> topics{"weather"};
  std::vector<std::string> keywords{"rain", "spring"};
  std::string title = "example";
  CaptionSource source{subject, own_names, topics, keywords, title};
  PictureFacts facts{
      .bits = fact::of(Style::colour) | fact::of(Colour::red) | fact::of(Colour::white),
      .set = 4,
      .colours = {Colour::red, Colour::white}};
};

TEST(Captions, NameTheThing) {
  const Umbrella umbrella;
  base::SplitMix64 generator(3);
  std::set<std::string> texts;
  for (int i = 0; i < 1000; ++i) {
    const Caption caption = draw_caption(umbrella.source, umbrella.facts, {}, generator);
    EXPECT_THAT(caption.text, AnyOf(HasSubstr("umbrella"), HasSubstr("parasol")));
    EXPECT_THAT(caption.text, Not(AnyOf(HasSubstr("{}"), HasSubstr("  "))));
    texts.insert(caption.text);
  }
  EXPECT_TRUE(texts.contains("umbrella"));
  EXPECT_TRUE(texts.contains("parasol"));
  EXPECT_TRUE(texts.contains("a photo of a umbrella."));
  EXPECT_GT(texts.size(), 300U);
}

TEST(Captions, ClaimOnlyWhatIsTrueAndWhatTheySay) {
  const Umbrella umbrella;
  base::SplitMix64 generator(5);
  std::map<std::string, int> said;
  for (int i = 0; i < 2000; ++i) {
    const Caption caption =
        draw_caption(umbrella.source, umbrella.facts, {.bare = 0, .plain = 0}, generator);
    EXPECT_EQ(caption.claims.bits & ~umbrella.facts.bits, 0U) << caption.text;
    const bool says_red = caption.text.find("red and white") != std::string::npos;
    EXPECT_EQ((caption.claims.bits & fact::of(Colour::red)) != 0, says_red) << caption.text;
    const bool says_set = caption.text.find("example") != std::string::npos;
    EXPECT_EQ(caption.claims.set == 4, says_set) << caption.text;
    EXPECT_THAT(caption.text, Not(AnyOf(HasSubstr("outline"), HasSubstr("emoji"))));
    said["red"] += says_red;
    said["set"] += says_set;
    said["topic"] += caption.text.find("weather") != std::string::npos;
    said["keyword"] += caption.text.find("spring") != std::string::npos;
    said["flat"] += caption.text.find("flat") != std::string::npos;
  }
  for (const auto& [what, count] : said)
    EXPECT_GT(count, 100) << what;
}

TEST(Captions, NoiseStandsAroundThemAndClaimsNothing) {
  const Umbrella umbrella;
  const auto texts_of = [&](const CaptionShares& shares) {
    base::SplitMix64 generator(7);
    std::vector<std::string> texts;
    for (int i = 0; i < 400; ++i) {
      const Caption caption = draw_caption(umbrella.source, umbrella.facts, shares, generator);
      EXPECT_TRUE(caption.claims.is_empty());
      texts.push_back(caption.text);
    }
    return texts;
  };
  std::size_t before = 0, behind = 0;
  for (const std::string& text : texts_of({.bare = 100, .plain = 0, .noise = 100})) {
    const bool ends = text.ends_with("umbrella") || text.ends_with("parasol");
    const bool starts = text.starts_with("umbrella") || text.starts_with("parasol");
    EXPECT_NE(starts, ends) << text;
    EXPECT_THAT(text, Not(HasSubstr("#")));
    before += ends;
    behind += starts;
  }
  EXPECT_GT(before, 100U);
  EXPECT_GT(behind, 100U);
  for (const std::string& text : texts_of({.bare = 100, .plain = 0, .noise = 0}))
    EXPECT_THAT(text, AnyOf("umbrella", "parasol"));
}

TEST(Captions, WithoutDescriptionsClaimNothing) {
  const Umbrella umbrella;
  base::SplitMix64 generator(5);
  for (int i = 0; i < 200; ++i)
    EXPECT_TRUE(draw_caption(umbrella.source, umbrella.facts, {.bare = 60, .plain = 40}, generator)
                    .claims.is_empty());
}

TEST(Captions, UseSynonyms) {
  const std::string subject = "television";
  const std::vector<std::string> own_names{"television"};
  const std::vector<std::string> nothing;
  const std::string no_title;
  base::SplitMix64 generator(3);
  std::set<std::string> texts;
  for (int i = 0; i < 200; ++i)
    texts.insert(
        draw_caption({subject, own_names, nothing, nothing, no_title}, {}, {}, generator).text);
  EXPECT_TRUE(texts.contains("television"));
  EXPECT_TRUE(texts.contains("tv"));
}

TEST(Captions, StyledTextsDifferByStyle) {
  std::set<std::string> texts;
  for (int style = 0; style < kStyles; ++style)
    for (std::size_t variant = 0; variant < kStyledVariants; ++variant)
      texts.insert(styled_text("key", static_cast<Style>(style), variant));
  EXPECT_EQ(texts.size(), kStyles * kStyledVariants);
}

}  // namespace
}  // namespace petlab::pretrain
