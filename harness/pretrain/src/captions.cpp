#include "petlab/pretrain/captions.hpp"

#include "petlab/pretrain/synonyms.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace petlab::pretrain {

namespace {

/// `{}` is the subject. Sentences that are true of every picture.
constexpr std::array<std::string_view, 8> kPlainSentences = {"a photo of a {}",
                                                             "a photo of a {}.",
                                                             "a picture of a {}.",
                                                             "an icon of a {}",
                                                             "icon of {}",
                                                             "a drawing of a {}.",
                                                             "a {}",
                                                             "this is a {}."};

/// `[]` is the style.
constexpr std::array<std::string_view, 6> kStyleSentences = {
    "[] {}",       "a [] icon of a {}.", "a [] drawing of a {}.",
    "{} icon, []", "a {}, [] style",     "a [] picture of a {}."};

using Words = std::array<std::string_view, 3>;
constexpr std::array<Words, kStyles> kStyleNames = {
    Words{"outline", "line", "thin line"}, Words{"solid", "filled", "black"},
    Words{"grey", "two tone", "duotone"}, Words{"colour", "flat", "coloured"},
    Words{"emoji", "colourful emoji", "emoji style"}};

/// Shares of the kinds of captions, in percent; the rest names the style.
constexpr std::uint64_t kBarePercent = 45;
constexpr std::uint64_t kPlainPercent = 25;
constexpr std::uint64_t kSynonymPercent = 50;

std::string replaced(std::string_view text, std::string_view mark, std::string_view value) {
  std::string result(text);
  const std::size_t place = result.find(mark);
  if (place != std::string::npos) result.replace(place, mark.size(), value);
  return result;
}

template <typename Values>
auto pick(const Values& values, datasets::SplitMix64& generator) {
  return values[static_cast<std::size_t>(generator.below(values.size()))];
}

}  // namespace

Style style_of(const std::uint8_t* rgb, int size) {
  // A pixel is coloured when its channels differ by more than rendering noise, inked when it is
  // dark, grey when it is neither black nor white; thin strokes vanish under a 5 x 5 erosion.
  constexpr int kChroma = 40;
  constexpr int kInk = 128;
  constexpr double kColouredShare = 0.02;
  constexpr double kGreyShare = 0.35;
  constexpr double kThickShare = 0.12;
  constexpr int kReach = 2;
  const auto pixel = [&](int y, int x) { return rgb + (y * size + x) * 3; };
  const auto is_ink = [&](int y, int x) {
    return *std::min_element(pixel(y, x), pixel(y, x) + 3) < kInk;
  };
  int coloured = 0;
  int drawn = 0;
  int grey = 0;
  int thick = 0;
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const auto [low, high] = std::minmax_element(pixel(y, x), pixel(y, x) + 3);
      if (*low > 245) continue;
      ++drawn;
      if (*high - *low > kChroma) ++coloured;
      if (*low > 90 && *low < 235) ++grey;
      bool is_thick =
          is_ink(y, x) && y >= kReach && x >= kReach && y + kReach < size && x + kReach < size;
      for (int dy = -kReach; is_thick && dy <= kReach; ++dy)
        for (int dx = -kReach; is_thick && dx <= kReach; ++dx)
          is_thick = is_ink(y + dy, x + dx);
      if (is_thick) ++thick;
    }
  }
  const double area = static_cast<double>(std::max(drawn, 1));
  if (coloured > kColouredShare * area) return Style::colour;
  if (thick > kThickShare * area) return Style::solid;
  // Smoothed edges are grey as well: only a large share is a second tone.
  if (grey > kGreyShare * area && thick == 0 && drawn > size * size / 4) return Style::grey;
  return Style::outline;
}

Caption draw_caption(const std::string& subject, Style style, datasets::SplitMix64& generator) {
  std::string name = subject;
  const auto synonyms = synonyms_of(subject);
  if (!synonyms.empty() && generator.below(100) < kSynonymPercent)
    name = std::string(pick(synonyms, generator));
  const std::uint64_t kind = generator.below(100);
  if (kind < kBarePercent) return {name, false};
  if (kind < kBarePercent + kPlainPercent)
    return {replaced(pick(kPlainSentences, generator), "{}", name), false};
  const std::string_view style_name = pick(kStyleNames[static_cast<std::size_t>(style)], generator);
  return {replaced(replaced(pick(kStyleSentences, generator), "[]", style_name), "{}", name), true};
}

std::vector<std::pair<std::string, std::int64_t>> caption_corpus(
    const std::vector<std::pair<std::string, std::int64_t>>& subjects_with_counts) {
  std::vector<std::pair<std::string, std::int64_t>> corpus;
  std::int64_t total = 0;
  for (const auto& [subject, count] : subjects_with_counts) {
    total += count;
    corpus.emplace_back(subject, count);
    for (const std::string_view name : synonyms_of(subject))
      corpus.emplace_back(name, count);
  }
  // Every template occurs often enough for its words to become whole tokens.
  const std::int64_t often = std::max<std::int64_t>(total / 20, 1);
  for (const std::string_view sentence : kPlainSentences)
    corpus.emplace_back(replaced(sentence, "{}", ""), often);
  for (const Words& names : kStyleNames)
    for (const std::string_view name : names)
      for (const std::string_view sentence : kStyleSentences)
        corpus.emplace_back(replaced(replaced(sentence, "[]", name), "{}", ""),
                            std::max<std::int64_t>(often / 20, 1));
  return corpus;
}

}  // namespace petlab::pretrain
