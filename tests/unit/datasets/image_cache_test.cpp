#include "petlab/datasets/image_cache.hpp"

#include "petlab/datasets/resize.hpp"
#include "test_support.hpp"

#include <ATen/ATen.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>

namespace petlab::datasets {
namespace {

using ::testing::HasSubstr;

class ImageCacheTest : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    unsigned seed = 0;
    for (const std::string domain : {"a", "b"}) {
      for (const std::string class_name : {"x", "y"}) {
        for (int i = 0; i < 3; ++i) {
          write("data/" + domain + "/" + class_name + "/" + std::to_string(i) + ".png",
                encode_png(pattern(40, 30, ++seed)));
        }
      }
    }
    options_.directory = root() / "cache";
  }
  [[nodiscard]] Dataset load() const { return load_folder(root() / "data"); }

  CacheOptions options_;
};

TEST_F(ImageCacheTest, HoldsTheCroppedPicturesOfEachDomain) {
  const Dataset dataset = load();
  std::size_t calls = 0;
  options_.progress = [&](const CacheProgress& now) {
    ++calls;
    EXPECT_EQ(now.done, calls);
    EXPECT_EQ(now.total, 12U);
    EXPECT_GT(now.images_per_second, 0.0);
  };
  const ImageCache cache(dataset, 16, options_);
  EXPECT_TRUE(cache.built_now());
  EXPECT_EQ(calls, 12U);
  for (std::size_t d = 0; d < 2; ++d) {
    const at::Tensor images = cache.images(d);
    ASSERT_EQ(images.sizes(), at::IntArrayRef({6, 3, 16, 16}));
    ASSERT_EQ(images.scalar_type(), at::kByte);
    for (std::int64_t i = 0; i < 6; ++i) {
      Image expected =
          clip_crop(decode_image(dataset.domains[d].samples[static_cast<std::size_t>(i)].file), 16);
      const at::Tensor rgb =
          at::from_blob(expected.rgb.data(), {16, 16, 3}, at::kByte).permute({2, 0, 1});
      EXPECT_TRUE(at::equal(images[i], rgb));
    }
  }
  EXPECT_THROW((void)cache.images(2), base::Error);
}

TEST_F(ImageCacheTest, IsBuiltOnceAndKeptByItsTensors) {
  at::Tensor images;
  {
    const ImageCache first(load(), 16, options_);
    images = first.images(1);
  }
  const at::Tensor copy = images.clone();
  const ImageCache second(load(), 16, options_);
  EXPECT_FALSE(second.built_now());
  EXPECT_TRUE(at::equal(second.images(1), copy));
  EXPECT_TRUE(at::equal(images, copy));
  EXPECT_TRUE(ImageCache(load(), 24, options_).built_now()) << "another size, another file";
}

TEST_F(ImageCacheTest, RebuildsWhatIsCutShortOrChanged) {
  const ImageCache good(load(), 16, options_);
  const at::Tensor expected = good.images(0).clone();
  const auto size = std::filesystem::file_size(good.file());
  std::filesystem::copy_file(good.file(), root() / "copy");  // the open mapping keeps its own file
  std::filesystem::remove(good.file());
  std::filesystem::rename(root() / "copy", good.file());

  std::filesystem::resize_file(good.file(), size - 100);
  const ImageCache after_cut(load(), 16, options_);
  EXPECT_TRUE(after_cut.built_now());
  EXPECT_TRUE(at::equal(after_cut.images(0), expected));

  for (const std::uintmax_t position : {std::uintmax_t{20}, size / 2, size - 1}) {
    std::string bytes = text_of(good.file());
    bytes[position] = static_cast<char>(bytes[position] ^ 1);
    std::filesystem::remove(good.file());
    write("cache/" + good.file().filename().string(), bytes);
    const ImageCache after(load(), 16, options_);
    EXPECT_TRUE(after.built_now()) << position;
    EXPECT_TRUE(at::equal(after.images(0), expected));
  }
}

TEST_F(ImageCacheTest, DecodesWhatWasHashedAndNothingElse) {
  const Dataset before = load();
  const auto picture = root() / "data/b/y/1.png";
  const std::string original = text_of(picture);
  const auto time = std::filesystem::last_write_time(picture);
  // Another picture in its place, a cut one, none: all between the hash and the decoding.
  for (int change = 0; change < 4; ++change) {
    if (change == 0) write("data/b/y/1.png", encode_png(pattern(40, 30, 99)));
    if (change == 1) write("data/b/y/1.png", original + "x");  // the same pixels, other bytes
    if (change == 2) write("data/b/y/1.png", original.substr(0, original.size() / 2));
    if (change == 3) std::filesystem::remove(picture);
    if (change < 3) std::filesystem::last_write_time(picture, time);
    const std::string said = error_of([&] { const ImageCache cache(before, 16, options_); });
    EXPECT_THAT(said, HasSubstr("b/y/1.png"));
    if (change < 3) {
      EXPECT_THAT(said, HasSubstr("changed while petlab was at work"));
    }
  }
  write("data/b/y/1.png", original);
  EXPECT_EQ(load().fingerprint, before.fingerprint);
  const ImageCache good(before, 16, options_);
  Image expected = clip_crop(decode_image(picture), 16);
  EXPECT_TRUE(
      at::equal(good.images(1)[4],
                at::from_blob(expected.rgb.data(), {16, 16, 3}, at::kByte).permute({2, 0, 1})));
}

TEST_F(ImageCacheTest, FollowsNoLinks) {
  std::string name;
  {
    const ImageCache first(load(), 16, options_);
    name = first.file().filename().string();
    std::filesystem::remove(first.file());
  }
  const auto precious = write("precious", std::string(100, 'p'));
  for (const char* suffix : {".tmp", ".lock"}) {
    const auto link = options_.directory / (name + suffix);
    std::filesystem::remove(link);
    std::filesystem::create_symlink(precious, link);
    EXPECT_THAT(error_of([&] { const ImageCache cache(load(), 16, options_); }),
                HasSubstr("image cache: cannot"));
    EXPECT_EQ(text_of(precious), std::string(100, 'p'));
    std::filesystem::remove(link);
  }
}

TEST_F(ImageCacheTest, FollowsTheDataAndNotTheThreads) {
  options_.threads = 1;
  const ImageCache one(load(), 16, options_);
  const at::Tensor expected = one.images(0).clone();
  options_.threads = 4;
  options_.directory = root() / "other";
  EXPECT_TRUE(at::equal(ImageCache(load(), 16, options_).images(0), expected));
  write("data/a/x/0.png", encode_png(pattern(40, 30, 88)));
  const ImageCache changed(load(), 16, options_);
  EXPECT_TRUE(changed.built_now());
  EXPECT_FALSE(at::equal(changed.images(0), expected));
}

TEST_F(ImageCacheTest, NamesTheDamagedPictureAndLeavesNothingBehind) {
  write("data/b/y/1.png", "no image");
  EXPECT_THAT(error_of([&] { ImageCache(load(), 16, options_); }),
              HasSubstr("b/y/1.png is no image, expected JPEG"));
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory)) {
    EXPECT_EQ(entry.path().extension(), ".lock");
  }
  EXPECT_THROW(ImageCache(load(), 0, options_), base::Error);
  options_.directory = "/proc/petlab";
  EXPECT_THAT(error_of([&] { ImageCache(load(), 16, options_); }), HasSubstr("/proc/petlab"));
}

/// Runs `work` in a child process; 0 when it returns.
pid_t in_child(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    work();
    ::_exit(0);
  } catch (const std::exception& e) {
    ::_exit(::write(STDERR_FILENO, e.what(), std::strlen(e.what())) > 0 ? 3 : 4);
  }
}

int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST_F(ImageCacheTest, IsCompletedAfterBeingKilledAtAnyMoment) {
  for (int i = 0; i < 30; ++i) {
    write("data/c/z/" + std::to_string(i) + ".png",
          encode_png(pattern(50, 60, static_cast<unsigned>(i))));
  }
  const Dataset dataset = load();
  CacheOptions sound = options_;
  sound.directory = root() / "uninterrupted";
  const ImageCache expected(dataset, 32, sound);
  const std::string bytes = text_of(expected.file());

  options_.threads = 3;
  options_.progress = [](const CacheProgress&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  };
  std::mt19937 random(7);
  int killed = 0;
  for (int round = 0; round < 6; ++round) {
    const auto directory = root() / ("cache" + std::to_string(round));
    options_.directory = directory;
    for (int attempt = 0; attempt < 2; ++attempt) {
      const pid_t child = in_child([&] { const ImageCache cache(dataset, 32, options_); });
      std::this_thread::sleep_for(std::chrono::milliseconds(random() % 60));
      ::kill(child, SIGKILL);
      if (WIFSIGNALED(wait_for(child))) ++killed;
    }
    CacheOptions quick = options_;
    quick.progress = {};
    const ImageCache cache(dataset, 32, quick);
    EXPECT_EQ(text_of(cache.file()), bytes) << "round " << round;
    EXPECT_FALSE(std::filesystem::exists(cache.file().string() + ".tmp"));
  }
  EXPECT_GT(killed, 0);
}

TEST_F(ImageCacheTest, GoesOnFromWhatAKilledProcessHasDone) {
  const Dataset dataset = load();
  options_.threads = 1;
  CacheOptions dying = options_;
  dying.progress = [](const CacheProgress& now) {
    if (now.done == 5) ::raise(SIGKILL);
  };
  EXPECT_TRUE(WIFSIGNALED(wait_for(in_child([&] { ImageCache(dataset, 16, dying); }))));
  std::vector<std::size_t> done;
  options_.progress = [&](const CacheProgress& now) { done.push_back(now.done); };
  const ImageCache cache(dataset, 16, options_);
  EXPECT_TRUE(cache.built_now());
  EXPECT_EQ(cache.resumed(), 5U);
  EXPECT_EQ(done, (std::vector<std::size_t>{5, 6, 7, 8, 9, 10, 11, 12}));
}

TEST_F(ImageCacheTest, DoesNotTrustWhatAKilledProcessLeftDamaged) {
  const Dataset dataset = load();
  CacheOptions dying = options_;
  dying.threads = 1;
  dying.progress = [](const CacheProgress& now) {
    if (now.done == 9) ::raise(SIGKILL);
  };
  EXPECT_TRUE(WIFSIGNALED(wait_for(in_child([&] { ImageCache(dataset, 16, dying); }))));
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory)) {
    if (entry.path().extension() != ".tmp") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(128 + 3 * 768 + 100);  // in the fourth picture
    file << "scratch";
  }
  CacheOptions other = options_;
  other.directory = root() / "other";
  const ImageCache cache(dataset, 16, options_);
  EXPECT_EQ(cache.resumed(), 8U);
  EXPECT_EQ(text_of(cache.file()), text_of(ImageCache(dataset, 16, other).file()));
}

TEST_F(ImageCacheTest, IsBuiltByOneOfTwoProcessesAndSeenWholeByBoth) {
  const Dataset dataset = load();
  CacheOptions other = options_;
  other.directory = root() / "other";
  const ImageCache expected(dataset, 16, other);
  CacheOptions slow = options_;
  slow.progress = [](const CacheProgress&) {
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
  };
  const auto process = [&] {
    return in_child([&] {
      const ImageCache cache(dataset, 16, slow);
      const std::string mine = text_of(cache.file());
      if (mine != text_of(expected.file())) throw std::runtime_error("half-written");
      if (cache.built_now()) {
        std::ofstream(root() / "builders", std::ios::app) << "x";
      }
    });
  };
  const pid_t first = process();
  const pid_t second = process();
  EXPECT_EQ(wait_for(first), 0);
  EXPECT_EQ(wait_for(second), 0);
  EXPECT_EQ(text_of(root() / "builders"), "x");
}

/// What opening the cache says in a child that `prepare` has put into trouble.
std::string error_in_child(const std::function<void()>& prepare,
                           const std::function<void()>& open) {
  int pipe[2];
  EXPECT_EQ(::pipe(pipe), 0);
  const pid_t child = in_child([&] {
    prepare();
    const std::string error = error_of(open);
    if (::write(pipe[1], error.data(), error.size()) < 0) throw std::runtime_error("pipe");
  });
  ::close(pipe[1]);
  std::string error(1000, '\0');
  const auto n = ::read(pipe[0], error.data(), error.size());
  ::close(pipe[0]);
  wait_for(child);
  error.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return error;
}

TEST_F(ImageCacheTest, SaysWhyItCannotBeWritten) {
  const Dataset dataset = load();
  const auto open = [&] { ImageCache(dataset, 16, options_); };
  std::filesystem::permissions(root(), std::filesystem::perms(0755));
  std::filesystem::create_directory(options_.directory);
  std::filesystem::permissions(options_.directory, std::filesystem::perms(0555));
  EXPECT_THAT(error_in_child(
                  [] {  // the superuser writes everywhere
                    if (::geteuid() == 0 && ::setuid(65534) != 0)
                      throw std::runtime_error("setuid");
                  },
                  open),
              ::testing::AllOf(HasSubstr("image cache: cannot write "),
                               HasSubstr("Permission denied; choose another cache directory")));
  std::filesystem::permissions(options_.directory, std::filesystem::perms(0755));
  EXPECT_THAT(error_in_child(
                  [] {
                    const struct rlimit limit{4096, 4096};
                    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("rlimit");
                  },
                  open),
              ::testing::AllOf(HasSubstr("image cache: cannot reserve 1 MB for "),
                               HasSubstr("File too large; raise the limit of files (ulimit -f)")));
  EXPECT_TRUE(ImageCache(dataset, 16, options_).built_now());
}

TEST_F(ImageCacheTest, SaysHowMuchRoomIsLeftOnAFullDisk) {
  // /dev/shm is a disk of its own, limited in size; a cache larger than it can never be reserved.
  const std::filesystem::path small = "/dev/shm";
  std::error_code none;
  const auto space = std::filesystem::space(small, none);
  const std::size_t picture = std::size_t{3} * 4096 * 4096;
  if (none || space.available / picture > 1'000'000) GTEST_SKIP() << "no disk of limited size";
  Dataset dataset = load();
  const Sample sample = dataset.domains[0].samples[0];
  const std::size_t before = dataset.domains[0].samples.size();
  dataset.domains[0].samples.resize(space.available / picture + 2, sample);
  dataset.digests.insert(dataset.digests.begin(), dataset.domains[0].samples.size() - before,
                         dataset.digests.at(0));
  options_.directory = small / ("petlab_full_" + std::to_string(::getpid()));
  EXPECT_THAT(error_of([&] { ImageCache(dataset, 4096, options_); }),
              ::testing::AllOf(HasSubstr("image cache: cannot reserve "),
                               HasSubstr("No space left on device; "), HasSubstr(" MB are free")));
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory))
    EXPECT_EQ(entry.path().extension(), ".lock");
  std::filesystem::remove_all(options_.directory);
}

TEST_F(ImageCacheTest, ReadsThePicturesAgainOnlyWhenTheFileWasTouched) {
  const ImageCache built(load(), 16, options_);
  auto note = built.file();
  note += ".checked";
  const std::string before = text_of(note);
  EXPECT_FALSE(ImageCache(load(), 16, options_).built_now());
  EXPECT_EQ(text_of(note), before);
  std::string bytes = text_of(built.file());
  {
    std::fstream file(built.file(), std::ios::in | std::ios::out | std::ios::binary);
    file << bytes[0];  // the same content, a new time
  }
  EXPECT_FALSE(ImageCache(load(), 16, options_).built_now());
  EXPECT_NE(text_of(note), before);
  {
    std::fstream file(built.file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1000);
    file << "scratch";
  }
  EXPECT_TRUE(ImageCache(load(), 16, options_).built_now());
}

}  // namespace
}  // namespace petlab::datasets
