#include "petlab/datasets/tools/perceptual_hash.hpp"

#include "petlab/base/random.hpp"
#include "petlab/datasets/resize.hpp"
#include "petlab/datasets/tools/check.hpp"
#include "test_support.hpp"

#include <bit>
#include <cmath>

namespace petlab::datasets {
namespace {

using namespace tools;

using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Blurred spots on a slope, another picture for each seed.
Image scene(int width, int height, unsigned seed) {
  base::SplitMix64 random(seed);
  struct Spot {
    double x, y, size, value;
  };
  std::vector<Spot> spots(24);
  for (Spot& spot : spots)
    spot = {static_cast<double>(random.below(100)) / 100,
            static_cast<double>(random.below(100)) / 100,
            0.04 + static_cast<double>(random.below(16)) / 100,
            static_cast<double>(random.below(240)) - 120};
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      const double u = static_cast<double>(x) / width;
      const double v = static_cast<double>(y) / height;
      double value = 100 + 40 * u;
      for (const Spot& spot : spots)
        value +=
            spot.value * std::exp(-((u - spot.x) * (u - spot.x) + (v - spot.y) * (v - spot.y)) /
                                  (spot.size * spot.size));
      for (int channel = 0; channel < 3; ++channel)
        image.rgb.push_back(static_cast<std::uint8_t>(std::clamp(value + 5 * channel, 0.0, 255.0)));
    }
  return image;
}

int distance(const Image& a, const Image& b) {
  return std::popcount(perceptual_hash(a).value() ^ perceptual_hash(b).value());
}

TEST(PerceptualHash, StaysNearUnderScalingAndRecompression) {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    const Image image = scene(120, 90, seed);
    EXPECT_LE(distance(image, resize_bicubic(image, 60, 45)), 6) << seed;
    EXPECT_LE(distance(image, decode_image(encode_jpeg(image, 60), "jpeg")), 6) << seed;
    Image brighter = image;
    for (auto& value : brighter.rgb)
      value = static_cast<std::uint8_t>(std::min(255, value + 8));
    EXPECT_LE(distance(image, brighter), 6) << seed;
    EXPECT_GE(distance(image, scene(120, 90, seed + 100)), 12) << seed;
  }
}

TEST(PerceptualHash, OfOneColourThereIsNone) {
  EXPECT_FALSE(perceptual_hash({8, 8, std::vector<std::uint8_t>(8 * 8 * 3, 200)}).has_value());
}

TEST(PerceptualHash, FindsAllPairsThatComparingEachWithEachFinds) {
  base::SplitMix64 random(5);
  std::vector<std::optional<std::uint64_t>> hashes;
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t base = random.next();
    hashes.emplace_back(base);
    // Relatives with 1 to 8 other bits.
    std::uint64_t relative = base;
    for (int flips = 0; flips < 1 + i % 8; ++flips)
      relative ^= 1ULL << random.below(64);
    hashes.emplace_back(relative);
  }
  hashes[7] = std::nullopt;
  for (const int limit : {0, 1, 4, 7}) {
    std::vector<std::pair<std::size_t, std::size_t>> expected, found;
    for (std::size_t i = 0; i < hashes.size(); ++i)
      for (std::size_t j = i + 1; j < hashes.size(); ++j)
        if (hashes[i] && hashes[j] && std::popcount(*hashes[i] ^ *hashes[j]) <= limit)
          expected.emplace_back(i, j);
    for (const NearPair& pair : near_pairs(hashes, limit))
      found.emplace_back(pair.first, pair.second);
    EXPECT_EQ(found, expected) << limit;
  }
}

TEST(PerceptualHash, ManyEqualOnesArePairedWithTheFirst) {
  std::vector<std::optional<std::uint64_t>> hashes(1000, 42);
  EXPECT_EQ(near_pairs(hashes, 4).size(), 999U);
}

class LikenessCheck : public TemporaryFolder {};

TEST_F(LikenessCheck, SaysWhichBordersLieBetween) {
  unsigned seed = 0;
  for (const std::string domain : {"a", "b"})
    for (const std::string class_name : {"x", "y"})
      for (int i = 0; i < 4; ++i)
        write(domain + "/" + class_name + "/" + std::to_string(i) + ".png",
              encode_png(scene(40, 40, ++seed)));
  const Image image = scene(80, 80, 500);
  write("a/x/same1.jpg", encode_jpeg(image, 95));
  write("a/x/same2.jpg", encode_jpeg(image, 95));
  write("a/y/near.jpg", encode_jpeg(image, 70));
  write("b/y/broken.jpg", "no image");
  write("b/y/plain.png", encode_png({8, 8, std::vector<std::uint8_t>(8 * 8 * 3, 9)}));
  const Dataset dataset = load_folder(root());
  Split split = make_split(dataset, 0.5, 1);
  CheckReport report = check_dataset(dataset, split);
  ASSERT_EQ(report.identical.size(), 1U);
  EXPECT_THAT(report.identical[0].ids, ElementsAre("a/x/same1", "a/x/same2"));
  EXPECT_FALSE(report.identical[0].across_domains || report.identical[0].across_classes);
  ASSERT_GE(report.near.size(), 1U);
  EXPECT_THAT(report.near[0].ids, ElementsAre("a/x/same1", "a/y/near"));
  EXPECT_TRUE(report.near[0].across_classes);
  EXPECT_EQ(report.plain, 1U);
  ASSERT_EQ(report.unreadable.size(), 1U);
  EXPECT_THAT(report.unreadable[0], HasSubstr("b/y/broken.jpg is "));
  EXPECT_FALSE(report.fingerprint.empty()) << "its bytes can be read";

  // The two equal files on one side, then on two sides of the border.
  const auto& samples = dataset.domains[0].samples;
  split.train[0].clear();
  split.test[0].clear();
  for (std::size_t i = 0; i < samples.size(); ++i)
    split.test[0].push_back(static_cast<std::int64_t>(i));
  report = check_dataset(dataset, split);
  EXPECT_FALSE(report.identical[0].across_parts);
  const auto same = std::find_if(samples.begin(), samples.end(),
                                 [](const Sample& s) { return s.id == "a/x/same2"; });
  const auto place = same - samples.begin();
  std::erase(split.test[0], place);
  split.train[0] = {place};
  report = check_dataset(dataset, split);
  EXPECT_TRUE(report.identical[0].across_parts);
  EXPECT_FALSE(report.passed());
  write_likenesses(root() / "found.csv", report);
  EXPECT_THAT(text_of(root() / "found.csv"),
              HasSubstr("identical,0,a/x/same1 = a/x/same2,parts\nnear,"));
}

}  // namespace
}  // namespace petlab::datasets
