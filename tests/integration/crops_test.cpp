// Random crops are drawn from the images as their files hold them.
#include "petlab/datasets/resize.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace petlab::tests {
namespace {

namespace fs = std::filesystem;

constexpr int kBackboneSize = 32;
constexpr const char* kLoraRow =
    "[row.lora]\nmethod = lora\nsharing = joint\nlearning-rate = 0.01\n";

/// The same data set as the backbone sees it without crops: every image fitted to its size.
void write_fitted(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (!entry.is_regular_file()) continue;
    const fs::path file = to / fs::relative(entry.path(), from).replace_extension(".png");
    fs::create_directories(file.parent_path());
    const auto bytes = datasets::encode_png(
        datasets::clip_crop(datasets::decode_image(entry.path()), kBackboneSize));
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }
}

class Crops : public testing::Test {
 protected:
  [[nodiscard]] StoredResult train(const std::string& augmentation, const std::string& root) const {
    const std::string study =
        workshop_.write_study(kLoraRow, "epochs = 2\nbatch = 2\naugmentation = " + augmentation);
    const std::string store = augmentation + "." + root + ".sqlite";
    const Output output =
        run_petlab({"run", study, "--store", store, "--cache-dir", "cache", "--dataset-root", root},
                   workshop_.folder());
    EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
    const auto results = stored_results(workshop_.folder() / store);
    return results.empty() ? StoredResult() : results.begin()->second;
  }
  [[nodiscard]] std::ptrdiff_t originals() const {
    const fs::directory_iterator cache(workshop_.folder() / "cache");
    return std::count_if(begin(cache), end(cache), [](const fs::directory_entry& entry) {
      return entry.path().extension() == ".originals";
    });
  }

  Workshop workshop_;
};

TEST_F(Crops, AreDrawnFromTheOriginals) {
  write_fitted(workshop_.folder() / "pictures", workshop_.folder() / "fitted");
  // Without crops nothing tells the two apart.
  const StoredResult plain = train("none", "pictures");
  ASSERT_FALSE(plain.losses.empty());
  EXPECT_EQ(train("none", "fitted"), plain);
  EXPECT_EQ(originals(), 0);

  const StoredResult crops = train("crop-flip", "pictures");
  EXPECT_EQ(originals(), 1);
  const StoredResult of_fitted = train("crop-flip", "fitted");
  EXPECT_EQ(originals(), 2);
  ASSERT_FALSE(crops.losses.empty());
  EXPECT_NE(crops.losses, plain.losses);
  EXPECT_NE(crops.losses, of_fitted.losses);
}

}  // namespace
}  // namespace petlab::tests
