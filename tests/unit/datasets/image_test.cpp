#include "petlab/datasets/image.hpp"

#include "petlab/datasets/resize.hpp"
#include "petlab/datasets/tools/svg.hpp"
#include "pillow_pictures.hpp"
#include "resize_weights.hpp"
#include "test_support.hpp"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <thread>

namespace petlab::datasets {
namespace {

using namespace tools;

using ::testing::HasSubstr;

Image read_ppm(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::string magic;
  int width = 0;
  int height = 0;
  int depth = 0;
  in >> magic >> width >> height >> depth;
  in.get();
  Image image{width, height, {}};
  image.rgb.resize(std::size_t{3} * static_cast<std::size_t>(width) *
                   static_cast<std::size_t>(height));
  in.read(reinterpret_cast<char*>(image.rgb.data()),
          static_cast<std::streamsize>(image.rgb.size()));
  EXPECT_TRUE(in.good() && magic == "P6" && depth == 255) << file;
  return image;
}

/// Largest difference of two pictures in grey levels; 999 when their sizes differ.
int difference(const Image& a, const Image& b) {
  if (a.width != b.width || a.height != b.height) return 999;
  int largest = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<int>(a.rgb[i]) - static_cast<int>(b.rgb[i])));
  }
  return largest;
}

TEST_F(Pillow, DecodesTheSamePixels) {
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root())) {
    auto expected = entry.path();
    expected += ".ppm";
    if (!std::filesystem::exists(expected)) continue;
    EXPECT_LE(difference(decode_image(entry.path(), View::shown), read_ppm(expected)), 1)
        << entry.path();
    ++compared;
  }
  EXPECT_EQ(compared, 31U);
}

TEST_F(Pillow, ResizesAndCropsToTheSamePixels) {
  std::size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(root())) {
    std::string name = entry.path().filename().string();
    const bool crop = name.starts_with("crop-");
    if (!crop && !name.starts_with("resize-")) continue;
    std::replace(name.begin(), name.end(), '-', ' ');
    std::istringstream parts(name);
    std::string kind;
    std::string source;
    int width = 0;
    int height = 0;
    parts >> kind >> width;
    if (!crop) parts >> height;
    parts >> source;
    source.resize(source.size() - 4);
    const Image image = decode_image(root() / source);
    const Image ours = crop ? clip_crop(image, width) : resize_bicubic(image, width, height);
    EXPECT_EQ(difference(ours, read_ppm(entry.path())), 0) << entry.path();
    ++compared;
  }
  EXPECT_EQ(compared, 16U);
}

class Decode : public TemporaryFolder {};

TEST_F(Decode, LooksAtTheContentNotAtTheName) {
  const Image image = pattern(9, 7, 3);
  const auto file = write("really_png.jpg", encode_png(image));
  EXPECT_EQ(decode_image(file).rgb, image.rgb);
}

TEST_F(Decode, NeverReturnsHalfAPicture) {
  const auto jpeg = encode_jpeg(pattern(64, 48, 1), 90);
  const auto png = encode_png(pattern(64, 48, 1));
  for (const double part : {0.3, 0.6, 0.9}) {
    const auto cut = [&](const std::vector<std::uint8_t>& bytes) {
      return std::span(bytes).first(
          static_cast<std::size_t>(part * static_cast<double>(bytes.size())));
    };
    EXPECT_THAT(error_of([&] { (void)decode_image(cut(jpeg), "cut.jpg"); }),
                HasSubstr("cut.jpg is a damaged JPEG image"));
    EXPECT_THAT(error_of([&] { (void)decode_image(cut(png), "cut.png"); }),
                HasSubstr("cut.png is a damaged PNG image"));
  }
  auto flipped = png;
  flipped[flipped.size() / 2] ^= 0x55U;
  EXPECT_THROW((void)decode_image(flipped, "flipped.png"), base::Error);
}

TEST_F(Decode, NamesWhatIsNoPicture) {
  EXPECT_THAT(error_of([&] { (void)decode_image(write("a.jpg", "hello")); }),
              HasSubstr("a.jpg is no image, expected JPEG, PNG, WebP, BMP or GIF"));
  EXPECT_THAT(error_of([&] { (void)decode_image(write("b.jpg", "")); }),
              HasSubstr("b.jpg is empty"));
  EXPECT_THAT(error_of([&] { (void)decode_image(root() / "c.jpg"); }), HasSubstr("c.jpg"));
}

TEST(Resize, GivesTheSameBitsWithAndWithoutWideInstructions) {
  for (const auto& [in, out] : {std::pair{200, 64}, {64, 200}, {97, 96}, {3, 50}, {1000, 7}}) {
    const Image image = pattern(in, in, 9);
    const ResizeWeights weights(in, out, {out / 4, out});
    const std::size_t n = weights.size();
    const std::size_t in_stride = std::size_t{3} * static_cast<std::size_t>(in);
    std::vector<std::uint8_t> rows = image.rgb;
    rows.resize(rows.size() + ResizeKernels::kSlack);
    std::vector<std::uint8_t> results[2];
    for (const bool best : {false, true}) {
      const ResizeKernels& kernels = best ? best_kernels() : portable_kernels();
      auto& result = results[best ? 1 : 0];
      std::vector<std::uint8_t> line(in_stride + 3 * n + ResizeKernels::kSlack);
      const auto keep = [&](std::size_t bytes) {
        result.insert(result.end(), line.begin(),
                      line.begin() + static_cast<std::ptrdiff_t>(bytes));
      };
      kernels.row(rows.data(), weights, line.data());
      keep(3 * n);
      for (std::size_t i = 0; i < n; ++i) {
        kernels.column(rows.data(), 0, in_stride, in_stride, weights, i, line.data());
        keep(in_stride);
      }
    }
    EXPECT_EQ(results[0], results[1]) << in << " to " << out;
  }
}

TEST(Resize, CutsPlanesFromTheSamePicture) {
  const Image image = pattern(61, 47, 4);
  const Image crop = clip_crop(image, 20);
  std::vector<std::uint8_t> planes(3 * 20 * 20);
  clip_crop_planes(image, 20, planes);
  for (std::size_t i = 0; i < planes.size(); ++i)
    ASSERT_EQ(planes[i], crop.rgb[i % 400 * 3 + i / 400]);
  EXPECT_THROW(clip_crop_planes(image, 21, planes), base::Error);
}

TEST(Resize, KeepsWhatNeedsNoChange) {
  const Image image = pattern(12, 12, 5);
  EXPECT_EQ(resize_bicubic(image, 12, 12).rgb, image.rgb);
  EXPECT_EQ(clip_crop(image, 12).rgb, image.rgb);
  EXPECT_THROW((void)resize_bicubic(image, 0, 5), base::Error);
  const Image strip = clip_crop(pattern(400, 1, 2), 16);  // extreme aspect
  EXPECT_EQ(strip.width, 16);
  EXPECT_EQ(strip.height, 16);
}

TEST(Svg, RendersOnWhiteTheSameFromSeveralThreads) {
  const std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 24 24\" width=\"24\" height=\"24\">"
      "<path d=\"M2 2h10v10z\" fill=\"#f00\"/><circle cx=\"16\" cy=\"16\" r=\"5\"/></svg>";
  const auto expected = render_svg(svg, 48);
  ASSERT_EQ(expected.size(), 48U * 48 * 3);
  EXPECT_EQ(expected[0], 255);                  // a corner is white
  EXPECT_EQ(expected[(32 * 48 + 32) * 3], 0);   // the circle is black
  EXPECT_EQ(expected[(6 * 48 + 16) * 3], 255);  // the triangle is red
  EXPECT_EQ(expected[(6 * 48 + 16) * 3 + 1], 0);
  std::vector<std::vector<std::uint8_t>> results(8);
  {
    std::vector<std::jthread> threads;
    for (auto& result : results)
      threads.emplace_back([&] { result = render_svg(svg, 48); });
  }
  for (const auto& result : results)
    EXPECT_EQ(result, expected);
  EXPECT_THAT(error_of([] { (void)render_svg("<svg", 48); }), HasSubstr("librsvg"));
  EXPECT_THROW((void)render_svg(svg, 0), base::Error);
}

}  // namespace
}  // namespace petlab::datasets
