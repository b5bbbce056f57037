#include "petlab/datasets/image.hpp"
#include "petlab/datasets/resize.hpp"
#include "reference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

namespace petlab::parity {
namespace {

namespace fs = std::filesystem;
using base::SquareFit;
using datasets::Image;
using datasets::View;

Image read_ppm(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string magic;
  int depth = 0;
  Image image;
  in >> magic >> image.width >> image.height >> depth;
  in.get();
  if (!in || magic != "P6" || depth != 255) throw std::runtime_error("no image " + file.string());
  image.rgb.resize(std::size_t{3} * static_cast<std::size_t>(image.width) *
                   static_cast<std::size_t>(image.height));
  in.read(reinterpret_cast<char*>(image.rgb.data()),
          static_cast<std::streamsize>(image.rgb.size()));
  if (!in) throw std::runtime_error("cut short: " + file.string());
  return image;
}

/// Largest difference of two pictures in grey levels; 999 when their sizes differ.
int difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 999;
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i)
    largest = std::max(largest, std::abs(int{a.rgb[i]} - int{b.rgb[i]}));
  return largest;
}

/// How many of the compared pictures were equal to the last bit.
struct Tally {
  std::size_t equal = 0;
  std::size_t all = 0;

  void add(int largest) {
    ++all;
    if (largest == 0) ++equal;
  }
};

/// CLIP's normalisation as transformers writes it, on the planes of a crop.
std::vector<float> normalised(const Image& crop, int size) {
  constexpr std::array<double, 3> kMean{0.48145466, 0.4578275, 0.40821073};
  constexpr std::array<double, 3> kStd{0.26862954, 0.26130258, 0.27577711};
  const auto area = static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  std::vector<std::uint8_t> planes(3 * area);
  datasets::clip_crop_planes(crop, size, planes);
  std::vector<float> result(planes.size());
  for (std::size_t i = 0; i < planes.size(); ++i)
    result[i] = static_cast<float>((planes[i] / 255.0 - kMean[i / area]) / kStd[i / area]);
  return result;
}

TEST(Preprocess, EqualsPillowAndTransformers) {
  const fs::path folder = fresh_folder("preprocess");
  run_reference("preprocess.py", {folder.string()});
  std::ifstream index(folder / "index.txt");
  std::string name;
  std::string sizes;
  Tally stored;
  Tally shown;
  Tally crops;
  Tally squashed;
  while (index >> name >> sizes) {
    const fs::path file = folder / name;
    const Image image = datasets::decode_image(file);
    EXPECT_EQ(image.damage, "") << name;
    const auto expect_close = [&](Tally& tally, const Image& ours, const std::string& suffix) {
      const int largest = difference(ours, read_ppm(file.string() + "." + suffix + ".ppm"));
      EXPECT_LE(largest, 1) << name << " " << suffix;
      tally.add(largest);
    };
    const auto is_there = [&](const std::string& suffix) {
      return fs::exists(file.string() + "." + suffix + ".ppm");
    };
    if (is_there("stored")) expect_close(stored, image, "stored");
    if (is_there("shown")) {
      expect_close(shown, datasets::decode_image(file, View::shown), "shown");
    }
    std::istringstream list(sizes);
    std::string size;
    bool first = true;
    while (std::getline(list, size, ',')) {
      const Image crop = datasets::clip_crop(image, std::stoi(size));
      expect_close(crops, crop, size);
      if (!first) continue;
      first = false;
      for (const auto& [filter, suffix] : {std::pair(SquareFit::Filter::bilinear, "squash2"),
                                           std::pair(SquareFit::Filter::bicubic, "squash3")})
        expect_close(squashed,
                     datasets::fit_square(image, std::stoi(size),
                                          {.shape = SquareFit::Shape::squash, .filter = filter}),
                     suffix);
      std::ifstream in(file.string() + ".pixels", std::ios::binary);
      const std::vector<float> ours = normalised(crop, std::stoi(size));
      std::vector<float> theirs(ours.size());
      in.read(reinterpret_cast<char*>(theirs.data()),
              static_cast<std::streamsize>(theirs.size() * sizeof(float)));
      ASSERT_TRUE(in.good()) << name;
      float largest = 0;
      for (std::size_t i = 0; i < ours.size(); ++i)
        largest = std::max(largest, std::abs(ours[i] - theirs[i]));
      // One grey level is 0.0150 in the channel that is stretched most.
      EXPECT_LE(largest, 0.0151F) << name;
    }
  }
  EXPECT_GE(stored.all, 110U);
  EXPECT_GE(shown.all, 100U);
  EXPECT_GE(crops.all, 300U);
  EXPECT_GE(squashed.all, 200U);
  EXPECT_EQ(squashed.equal, squashed.all);
  std::cout << "equal to the last bit: " << stored.equal << " of " << stored.all
            << " images as stored, " << shown.equal << " of " << shown.all << " as shown, "
            << crops.equal << " of " << crops.all << " crops\n";
}

}  // namespace
}  // namespace petlab::parity
