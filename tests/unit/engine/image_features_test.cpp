#include "petlab/engine/image_features.hpp"

#include "petlab/engine/train_images.hpp"
#include "petlab/results/record.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <numeric>
#include <thread>

namespace petlab::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Two domains of several chunks, the last of each not full.
std::vector<at::Tensor> pictures() {
  at::Generator random = at::detail::createCPUGenerator(5);
  std::vector<at::Tensor> result;
  for (const std::int64_t n : {150, 70})
    result.push_back(at::randint(0, 256, {n, 3, 16, 16}, random, at::kByte));
  return result;
}

std::vector<std::int64_t> range(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), first);
  return rows;
}

class ImageFeaturesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("petlab-features-test-" + std::to_string(getpid()));
    fs::remove_all(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] ImageFeatures make(const fs::path& folder, const std::string& key = "key") const {
    return {*backbone_, pictures(), Precision::fp32, {folder, key}};
  }
  [[nodiscard]] fs::path only_file() const {
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
    return fs::directory_iterator(folder_)->path();
  }

  std::shared_ptr<const clip::Backbone> backbone_ = testing::tiny_backbone();
  fs::path folder_;
};

TEST_F(ImageFeaturesTest, AreWhatTheTowerSays) {
  ImageFeatures features = make("");
  const at::Tensor all = pictures()[1];
  for (const std::int64_t view : {0, 1}) {
    const at::Tensor pixels = to_pixels(view == 1 ? all.flip({3}) : all, *backbone_);
    const std::vector<std::int64_t> rows = {69, 0, 33};
    const at::Tensor expected =
        backbone_->encode_image(pixels).index_select(0, at::tensor(rows, at::kLong));
    EXPECT_TRUE(at::allclose(features.of(1, view, rows), expected, 1e-4, 1e-5));
  }
  EXPECT_EQ(features.read(), 0);
}

TEST_F(ImageFeaturesTest, HaveTheSameBitsWhateverWasAskedBeforeAndWhereverTheyComeFrom) {
  ImageFeatures alone = make("");
  ImageFeatures cold = make(folder_);
  const at::Tensor few = alone.of(0, 0, {140, 3});
  const at::Tensor all = alone.of(0, 0, range(0, 150));
  EXPECT_TRUE(few.equal(all.index_select(0, at::tensor({140, 3}, at::kLong))));
  EXPECT_TRUE(cold.of(0, 0, range(0, 150)).equal(all));
  EXPECT_EQ(cold.computed(), 150);
  EXPECT_EQ(cold.read(), 0);
  ImageFeatures warm = make(folder_);
  EXPECT_TRUE(warm.of(0, 0, range(0, 150)).equal(all));
  EXPECT_EQ(warm.computed(), 0);
  EXPECT_EQ(warm.read(), 150);
  // What is missing is added: another domain, another view.
  EXPECT_TRUE(warm.of(1, 0, range(0, 70)).equal(alone.of(1, 0, range(0, 70))));
  EXPECT_TRUE(warm.of(0, 1, range(0, 150)).equal(alone.of(0, 1, range(0, 150))));
  EXPECT_FALSE(warm.of(0, 1, range(0, 150)).equal(all));
  EXPECT_EQ(warm.computed(), 70 + 150);
}

TEST_F(ImageFeaturesTest, OfOtherOriginAreNeverTaken) {
  (void)make(folder_, "one backbone").of(0, 0, {0});
  ImageFeatures other = make(folder_, "another backbone");
  (void)other.of(0, 0, {0});
  EXPECT_EQ(other.read(), 0);
}

TEST_F(ImageFeaturesTest, ThatAreDamagedAreComputedAgain) {
  const at::Tensor good = make(folder_).of(0, 0, range(0, 150));
  const fs::path file = only_file();
  {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(fs::file_size(file)) - 70 * 4 * 8 - 4096);
    stream << "not a feature";
  }
  ImageFeatures mended = make(folder_);
  EXPECT_TRUE(mended.of(0, 0, range(0, 150)).equal(good));
  EXPECT_GT(mended.computed(), 0);
  EXPECT_GT(mended.read(), 0);
  ImageFeatures again = make(folder_);
  EXPECT_TRUE(again.of(0, 0, range(0, 150)).equal(good));
  EXPECT_EQ(again.computed(), 0);

  fs::resize_file(file, fs::file_size(file) / 2);
  ImageFeatures anew = make(folder_);
  EXPECT_TRUE(anew.of(0, 0, range(0, 150)).equal(good));
  EXPECT_EQ(anew.read(), 0);
  std::ofstream(file, std::ios::binary) << "something else";
  ImageFeatures replaced = make(folder_);
  EXPECT_TRUE(replaced.of(0, 0, range(0, 150)).equal(good));
  EXPECT_EQ(replaced.read(), 0);
}

// Locks are those of an open file, so that two threads with a file each are like two processes.
TEST_F(ImageFeaturesTest, MayBeBegunBySeveralAtOnce) {
  const std::vector<std::int64_t> rows = {0, 149};
  const at::Tensor expected = make("").of(0, 0, rows);
  for (int round = 0; round < 50; ++round) {
    fs::remove_all(folder_);
    std::vector<std::jthread> threads;
    std::atomic<int> equal = 0;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&] { equal += make(folder_).of(0, 0, rows).equal(expected); });
    threads.clear();
    EXPECT_EQ(equal, 4);
    EXPECT_EQ(only_file().extension(), ".features");
  }
}

TEST_F(ImageFeaturesTest, AreFilledBySeveralAtOnce) {
  constexpr int kTogether = 4;
  const at::Tensor expected = make("").of(0, 0, range(0, 150));
  std::vector<std::int64_t> computed(kTogether);
  std::vector<bool> equal(kTogether);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kTogether; ++t)
      threads.emplace_back([&, t] {
        ImageFeatures features = make(folder_);
        const bool same = features.of(0, 0, range(0, 150)).equal(expected);
        static std::mutex mutex;
        const std::lock_guard lock(mutex);
        equal[t] = same;
        computed[t] = features.computed() + features.read();
      });
  }
  for (std::size_t t = 0; t < kTogether; ++t) {
    EXPECT_TRUE(equal[t]);
    EXPECT_EQ(computed[t], 150);
  }
  ImageFeatures after = make(folder_);
  EXPECT_TRUE(after.of(0, 0, range(0, 150)).equal(expected));
  EXPECT_EQ(after.read(), 150);
}

TEST_F(ImageFeaturesTest, NeedNoStoreThatCanBeWritten) {
  std::ofstream(folder_) << "a file where a folder should be";
  ImageFeatures features = make(folder_);
  EXPECT_TRUE(features.of(0, 0, {5}).equal(make("").of(0, 0, {5})));
  EXPECT_THAT(features.trouble(), HasSubstr(folder_.string()));
}

/// Tasks whose test pictures are rows of the same tensor as their training pictures.
RunInputs shared_inputs(const sdk::MethodEntry& method) {
  RunInputs inputs = testing::tiny_inputs(method);
  std::vector<LabelledImages> test = inputs.load_test();
  for (std::size_t t = 0; t < test.size(); ++t) {
    LabelledImages& train = inputs.tasks[t].train;
    const std::int64_t n = train.images.size(0);
    train.images = test[t].images = at::cat({train.images, test[t].images});
    for (std::int64_t& row : test[t].rows)
      row += n;
  }
  inputs.load_test = [test] { return test; };
  return inputs;
}

std::string value_of(const results::RunRecord& record, const std::string& name) {
  for (const auto& [key, value] : record.environment)
    if (key == name) return value;
  return "";
}

TEST_F(ImageFeaturesTest, ChangeNothingOfARunButItsCost) {
  for (const Augmentation augmentation :
       {Augmentation::none, Augmentation::flip, Augmentation::crop_flip}) {
    RunInputs inputs = shared_inputs(testing::text_prompts());
    RunSpec spec = testing::tiny_spec("text", Sharing::per_task);
    spec.training.augmentation = augmentation;
    const auto plain = testing::run_well(spec, inputs);
    EXPECT_THAT(value_of(plain, results::environment::kFeatureStore), IsEmpty());
    const fs::path folder = folder_ / std::to_string(static_cast<int>(augmentation));
    std::vector<results::RunRecord> runs;
    for (const fs::path& place : {fs::path(), folder, folder}) {
      inputs.features = FeatureStorePlace{place, "key"};
      runs.push_back(testing::run_well(spec, inputs));
    }
    for (const results::RunRecord& run : runs) {
      EXPECT_EQ(run.trained_hash, runs[0].trained_hash);
      EXPECT_EQ(run.image_flops, plain.image_flops);
      EXPECT_EQ(run.step_flops, plain.step_flops);
      for (std::size_t t = 0; t < run.tasks.size(); ++t) {
        EXPECT_EQ(run.tasks[t].loss, runs[0].tasks[t].loss);
        EXPECT_NEAR(run.tasks[t].loss, plain.tasks[t].loss, 1e-4);
        for (std::size_t i = 0; i < run.tasks[t].predictions.size(); ++i) {
          EXPECT_EQ(run.tasks[t].predictions[i].predicted, plain.tasks[t].predictions[i].predicted);
          EXPECT_EQ(run.tasks[t].predictions[i].probability,
                    runs[0].tasks[t].predictions[i].probability);
        }
      }
    }
    const std::string all = std::to_string(augmentation == Augmentation::flip ? 2 * 29 : 29);
    EXPECT_EQ(value_of(runs[0], results::environment::kFeatureStore),
              "0 images read, " + all + " computed");
    EXPECT_EQ(value_of(runs[2], results::environment::kFeatureStore),
              all + " images read, 0 computed");
    EXPECT_EQ(runs[1].costs.front().images, std::stoi(all));
    EXPECT_EQ(runs[2].costs.front().images, 0);
  }
}

TEST_F(ImageFeaturesTest, AreNotTakenWhereTheTowerIsTouched) {
  RunInputs inputs = shared_inputs(testing::image_prompts());
  const RunSpec spec = testing::tiny_spec("image", Sharing::joint);
  const auto plain = testing::run_well(spec, inputs);
  inputs.features = FeatureStorePlace{folder_, "key"};
  const auto run = testing::run_well(spec, inputs);
  EXPECT_EQ(run.trained_hash, plain.trained_hash);
  EXPECT_EQ(run.tasks[0].loss, plain.tasks[0].loss);
  EXPECT_EQ(value_of(run, results::environment::kFeatureStore), "");
}

}  // namespace
}  // namespace petlab::engine
