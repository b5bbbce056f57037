#include "petlab/datasets/image.hpp"
#include "petlab/datasets/resize.hpp"
#include "pillow_pictures.hpp"
#include "test_support.hpp"

#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <map>
#include <random>

namespace petlab::datasets {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

using Bytes = std::vector<std::uint8_t>;

Bytes bytes_of(const std::filesystem::path& file) {
  const std::string text = text_of(file);
  return {text.begin(), text.end()};
}

void put(Bytes& bytes, std::size_t at, std::initializer_list<int> values) {
  for (const int value : values)
    bytes.at(at++) = static_cast<std::uint8_t>(value);
}

class HostileFile : public TemporaryFolder {};

TEST_F(HostileFile, IsNamedInOneSentence) {
  std::filesystem::create_directory(root() / "folder.jpg");
  std::filesystem::create_symlink(root() / "loop2.png", root() / "loop1.png");
  std::filesystem::create_symlink(root() / "loop1.png", root() / "loop2.png");
  ASSERT_EQ(::mkfifo((root() / "pipe.gif").c_str(), 0600), 0);
  write("empty.bmp", "");
  write("page.webp", "<!DOCTYPE html>");
  const std::map<std::string, std::string> expected{
      {"folder.jpg", "is a folder, expected a file"},
      {"loop1.png", "Too many levels of symbolic links"},
      {"pipe.gif", "is a device, expected a file"},
      {"empty.bmp", "is empty, expected JPEG, PNG, WebP, BMP or GIF"},
      {"page.webp", "is no image, expected JPEG, PNG, WebP, BMP or GIF"},
      {"absent.jpg", "No such file or directory"},
  };
  for (const auto& [name, reason] : expected) {
    const std::string error = error_of([&] { (void)decode_image(root() / name); });
    EXPECT_THAT(error, HasSubstr(name));
    EXPECT_THAT(error, EndsWith(reason));
  }
}

TEST_F(HostileFile, MayHaveAnyName) {
  const Image image = pattern(9, 7, 3);
  for (const std::string name : {"a b.png", "a,b.png", "a\"b'c.png", "a\nb.png", "a\xFF\xFE.png",
                                 "\xE6\x97\xA5.png", "%s%n.png", "-rf.png"}) {
    EXPECT_EQ(decode_image(write(name, encode_png(image))).rgb, image.rgb) << name;
    const std::string error = error_of([&] { (void)decode_image(write(name, "text")); });
    EXPECT_THAT(error, Not(HasSubstr("\n"))) << "one line";
  }
  EXPECT_THAT(error_of([&] { (void)decode_image(root() / "a\nb\xFF.png"); }),
              HasSubstr("a\\x0Ab\\xFF.png"));
  EXPECT_THAT(error_of([&] { (void)decode_image(root() / "\xE6\x97\xA5.jpg"); }),
              HasSubstr("\xE6\x97\xA5.jpg"));
}

TEST_F(HostileFile, MayBeUnreadable) {
  const auto file = write("secret.png", encode_png(pattern(5, 5, 1)));
  std::filesystem::permissions(file, std::filesystem::perms::none);
  std::filesystem::permissions(root(), std::filesystem::perms(0755));
  // The superuser reads everything: ask as nobody.
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(1);
    const std::string error = error_of([&] { (void)decode_image(file); });
    ::_exit(::write(pipe[1], error.data(), error.size()) > 0 ? 0 : 1);
  }
  ::close(pipe[1]);
  std::string error(1000, '\0');
  const auto n = ::read(pipe[0], error.data(), error.size());
  ::close(pipe[0]);
  error.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_THAT(error, HasSubstr("secret.png': Permission denied"));
}

class HostileBytes : public Pillow {};

TEST_F(HostileBytes, MayClaimMorePixelsThanMemoryHolds) {
  Bytes png = bytes_of(root() / "rgb.png");
  put(png, 16, {0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60});  // 60,000 x 60,000
  put(png, 29, {0x0F, 0xB0, 0xE2, 0x15});              // the header's checksum
  Bytes jpeg = bytes_of(root() / "rgb.jpg");
  const Bytes frame{0xFF, 0xC0};
  const auto at = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end());
  put(jpeg, static_cast<std::size_t>(at - jpeg.begin()) + 5, {0xEA, 0x60, 0xEA, 0x60});
  Bytes bmp = bytes_of(root() / "rgb.bmp");
  put(bmp, 18, {0x60, 0xEA, 0, 0, 0x60, 0xEA, 0, 0});
  Bytes gif = bytes_of(root() / "palette.gif");
  put(gif, 6, {0x60, 0xEA, 0x60, 0xEA});
  for (const auto& [name, bytes] : std::map<std::string, Bytes>{
           {"bomb.png", png}, {"bomb.jpg", jpeg}, {"bomb.bmp", bmp}, {"bomb.gif", gif}}) {
    EXPECT_THAT(error_of([&] { (void)decode_image(bytes, name); }),
                HasSubstr(name + " has 60000 x 60000 pixels, expected 1 to 178956970 of them"));
  }
  Bytes webp = bytes_of(root() / "animated.webp");
  put(webp, 24, {0xFF, 0x3F, 0, 0xFF, 0x3F, 0});  // 16,384 x 16,384
  EXPECT_THAT(error_of([&] { (void)decode_image(webp, "bomb.webp"); }), HasSubstr("bomb.webp"));
}

/// The beginning of a lossless WebP picture: its header says the size, and nothing follows.
Bytes lossless_webp(std::uint32_t width, std::uint32_t height, bool alpha) {
  Bytes bytes = {'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P', 'V', 'P', '8', 'L'};
  constexpr std::size_t kBytes = 2900;
  const auto little = [&](std::uint32_t value) {
    for (int i = 0; i < 4; ++i)
      bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  };
  little(kBytes);
  bytes.push_back(0x2F);
  little((width - 1) | ((height - 1) << 14U) | (alpha ? 1U << 28U : 0U));
  bytes.resize(20 + kBytes, 0);
  put(bytes, 4,
      {static_cast<std::uint8_t>((12 + kBytes) & 0xFF),
       static_cast<std::uint8_t>((12 + kBytes) >> 8U), 0, 0});
  return bytes;
}

TEST_F(HostileBytes, MayNotClaimMoreMemoryThanTheBound) {
  // Few enough pixels, but with all that decoders keep of each of them too much.
  const auto refused = [](const Bytes& bytes) {
    return error_of([&] { (void)decode_image(bytes, "bomb"); });
  };
  EXPECT_THAT(refused(lossless_webp(16000, 11000, true)),
              HasSubstr("bomb has 16000 x 11000 pixels, and decoding it would take 2014 MB of "
                        "memory, expected at most 1024"));
  EXPECT_THAT(refused(lossless_webp(16000, 11000, false)), HasSubstr("MB of memory"));
  Bytes jpeg = bytes_of(root() / "progressive.jpg");
  const Bytes frame{0xFF, 0xC2};
  const auto at = std::search(jpeg.begin(), jpeg.end(), frame.begin(), frame.end());
  ASSERT_NE(at, jpeg.end());
  put(jpeg, static_cast<std::size_t>(at - jpeg.begin()) + 5, {0x2E, 0xE0, 0x2E, 0xE0});
  EXPECT_THAT(refused(jpeg), HasSubstr("12000 x 12000 pixels, and decoding it would take"));
  Bytes webp = bytes_of(root() / "animated.webp");
  put(webp, 24, {0x0F, 0x27, 0, 0x0F, 0x27, 0});  // 10,000 x 10,000
  EXPECT_THAT(refused(webp), HasSubstr("MB of memory"));
  // Half of it is within the bound, and then it is the bytes that are missing.
  EXPECT_THAT(refused(lossless_webp(8000, 11000, true)), HasSubstr("damaged WebP"));
}

TEST_F(HostileBytes, AreRefusedWhenCutShort) {
  for (const char* name : {"rgb.jpg", "progressive.jpg", "grey16.png", "palette.png", "rgb.webp",
                           "lossless.webp", "palette.gif", "rgb.bmp", "palette.bmp"}) {
    const Bytes bytes = bytes_of(root() / name);
    for (const double part : {0.02, 0.3, 0.6, 0.95}) {
      const auto length = static_cast<std::size_t>(part * static_cast<double>(bytes.size())) + 12;
      EXPECT_THAT(error_of([&] { (void)decode_image(std::span(bytes).first(length), "cut"); }),
                  HasSubstr("cut is a damaged"))
          << name << " " << part;
    }
  }
}

TEST_F(HostileBytes, OfAJpegThatLacksAPieceGiveAPictureWithItsDamageNamed) {
  Bytes bytes = bytes_of(root() / "rgb.jpg");
  EXPECT_EQ(decode_image(bytes, "sound").damage, "");
  const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2);
  bytes.erase(middle, middle + 300);
  const Image image = decode_image(bytes, "scratched");
  EXPECT_EQ(image.width, 83);
  EXPECT_THAT(image.damage, HasSubstr("premature end of data segment"));
}

TEST_F(HostileBytes, NeverCrashTheDecoder) {
  std::mt19937 random(20240131);  // its numbers are the same everywhere
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::size_t tried = 0;
  std::size_t decoded = 0;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(root())) {
    if (entry.path().extension() != ".ppm") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const Bytes sound = bytes_of(file);
    for (int i = 0; i < 150; ++i) {
      Bytes bytes = sound;
      // Headers are where decoders trust: half of the changes go there.
      const std::size_t changes = 1 + below(6);
      for (std::size_t c = 0; c < changes; ++c) {
        const std::size_t range =
            below(2) == 0 ? std::min<std::size_t>(bytes.size(), 64) : bytes.size();
        bytes[below(range)] = static_cast<std::uint8_t>(below(3) == 0 ? 255 * below(2) : random());
      }
      if (below(4) == 0) bytes.resize(below(bytes.size() + 1));
      if (below(8) == 0)
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(below(bytes.size() + 1)), 3, 0);
      ++tried;
      try {
        const Image image = decode_image(bytes, "mutant", i % 2 == 0 ? View::stored : View::shown);
        ASSERT_EQ(image.rgb.size(), std::size_t{3} * static_cast<std::size_t>(image.width) *
                                        static_cast<std::size_t>(image.height));
        if (image.rgb.size() < 1'000'000) (void)clip_crop(image, 32);
        ++decoded;
      } catch (const base::Error& e) {
        ASSERT_THAT(e.what(), HasSubstr("mutant"));
      }
    }
  }
  EXPECT_GT(tried, 4000U);
  EXPECT_GT(decoded, 400U);
}

}  // namespace
}  // namespace petlab::datasets
