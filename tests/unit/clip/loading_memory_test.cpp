// How much memory loading takes beyond what is loaded, measured in a process of its own.
#include "model_fixture.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace petlab::clip {
namespace {

constexpr const char* kModelVariable = "PETLAB_TEST_MODEL";
constexpr const char* kSmallVariable = "PETLAB_TEST_SMALL_MODEL";
constexpr const char* kResultVariable = "PETLAB_TEST_RESULT";

/// "VmRSS" or "VmHWM" (its highest so far) of this process, in bytes.
std::int64_t memory(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(field + ":")) return std::stoll(line.substr(field.size() + 1)) * 1024;
  ADD_FAILURE() << "no " << field << " in /proc/self/status";
  return 0;
}

/// What the tests below start; by itself it does nothing.
TEST(LoadingMemoryChild, LoadsTheModelItIsGiven) {
  const char* model = std::getenv(kModelVariable);
  if (model == nullptr) GTEST_SKIP() << "a helper of LoadingMemory";
  at::set_num_threads(1);
  // The code of the libraries comes into memory with its first use.
  (void)Backbone::load(std::getenv(kSmallVariable));
  const std::int64_t before = memory("VmRSS");
  const auto backbone = Backbone::load(model);
  const std::int64_t peak = memory("VmHWM");
  std::ofstream(std::getenv(kResultVariable))
      << peak - before << " " << 4 * backbone->parameter_count() << "\n";
}

/// ViT-B/32 with two layers a tower: 48 million parameters.
std::shared_ptr<Backbone> large_backbone() {
  Config config;
  config.shape = {.vision = {.layers = 2, .width = 768, .heads = 12, .mlp_width = 3072},
                  .text = {.layers = 2, .width = 512, .heads = 8, .mlp_width = 2048},
                  .embed_dim = 512,
                  .image_size = 224,
                  .patch_size = 32,
                  .context_length = 77};
  config.vocab_size = 49408;
  config.eos_token_id = 2;
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(5);
  return Backbone::random(config, Tokenizer::load(test::tokenizer_folder()), Preprocessing{},
                          generator);
}

TEST(LoadingMemory, StaysUnderOnePointTwoModels) {
  const test::TemporaryFolder folder;
  const auto backbone = large_backbone();
  for (const at::ScalarType type : {at::kFloat, at::kHalf, at::kBFloat16}) {
    SCOPED_TRACE(at::toString(type));
    const auto model = folder.path() / "model";
    const auto small = folder.path() / "small";
    const auto result = folder.path() / "result";
    backbone->save(model, test::tokenizer_folder(), type);
    test::small_backbone()->save(small, test::tokenizer_folder(), type);
    const std::string command =
        std::string(kModelVariable) + "='" + model.string() + "' " + kSmallVariable + "='" +
        small.string() + "' " + kResultVariable + "='" + result.string() + "' '" +
        std::filesystem::read_symlink("/proc/self/exe").string() +
        "' --gtest_filter=LoadingMemoryChild.* >'" + (folder.path() / "log").string() + "' 2>&1";
    ASSERT_EQ(std::system(command.c_str()), 0) << test::read_file(folder.path() / "log");
    std::int64_t added = 0;
    std::int64_t weights = 0;
    std::ifstream(result) >> added >> weights;
    ASSERT_GT(weights, 150'000'000);
    const double ratio = static_cast<double>(added) / static_cast<double>(weights);
    std::cout << "  " << at::toString(type) << ": the peak grew by " << ratio
              << " times the weights\n";
    EXPECT_LT(ratio, 1.2);
    EXPECT_GT(ratio, 0.9) << "the measurement missed the weights";
  }
}

}  // namespace
}  // namespace petlab::clip
