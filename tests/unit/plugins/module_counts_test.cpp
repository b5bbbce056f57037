// Trainable parameters of the methods that are not prompts, on ViT-B/16 with FakeContext's two
// tasks, against their closed forms.
#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <gtest/gtest.h>

#include <ostream>

namespace petlab::tests {
namespace {

constexpr std::int64_t kLayers = 12;
constexpr std::int64_t kImage = 768;  // width of the image tower
constexpr std::int64_t kText = 512;   // width of the text tower

/// Weights and biases of a bottleneck.
constexpr std::int64_t bottleneck(std::int64_t width, std::int64_t hidden) {
  return 2 * width * hidden + hidden + width;
}
/// The same for a Compacter module with n = 4 and rank 1, its A matrices apart.
constexpr std::int64_t phm(std::int64_t width, std::int64_t hidden) {
  return 2 * (width + hidden) + hidden + width;
}
/// A linear map with bias.
constexpr std::int64_t linear(std::int64_t in, std::int64_t out) {
  return (in + 1) * out;
}

struct Case {
  const char* plugin;
  const char* method;
  GivenOptions options;
  std::int64_t count;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.method;
  for (const auto& [name, value] : one.options)
    *out << " " << name << "=" << value;
}

class ModuleCounts : public ::testing::TestWithParam<Case> {};

TEST_P(ModuleCounts, EqualTheClosedForm) {
  const Case& one = GetParam();
  const FakeBackbone backbone = FakeBackbone::vit_b16();
  const auto adapter = make_adapter(*make_method(one.plugin, one.method, one.options), backbone);
  EXPECT_EQ(count_parameters(*adapter), one.count);
  for (const sdk::NamedTensor& parameter : adapter->parameters())
    EXPECT_TRUE(parameter.value.is_leaf() && parameter.value.requires_grad()) << parameter.name;
}

const Case kPublished[] = {
    {"zero_shot", "zero-shot", {}, 0},
    {"zero_shot", "zero-shot", {{"templates", "clip-7"}}, 0},
    {"clip_adapter", "clip-adapter", {}, 131'072},
    {"bias_tuning", "bitfit", {}, 171'008},
    {"full_finetune", "full-fine-tuning", {}, 149'620'737},
    {"lora", "lora", {}, 184'320},
};
INSTANTIATE_TEST_SUITE_P(Published, ModuleCounts, ::testing::ValuesIn(kPublished));

const Case kHeads[] = {
    // cup, bed, alarm clock, fan: a class of two tasks is there once.
    {"linear_probe", "linear-probe", {}, 4 * 512 + 4},
    {"linear_probe", "logistic-regression", {}, 4 * 512 + 4},
    {"linear_probe", "linear-probe", {{"bias", "false"}, {"init", "random"}}, 4 * 512},
    {"clip_adapter", "clip-adapter", {{"towers", "both"}}, 2 * 131'072},
    {"feature_affine", "feature-affine", {}, 512 * 513},
    {"feature_affine", "feature-affine", {{"towers", "both"}}, 2 * 512 * 513},
    {"clip_adapter", "clip-adapter", {{"reduction", "8"}}, 65'536},
    {"tip_adapter", "tip-adapter", {}, 0},
    {"tip_adapter", "tip-adapter-f", {}, 10 * 512},  // two images of each task's classes
    {"vmtl", "vmtl", {}, 2 * (512 * 512 + 512) + 2 * (3 + 2) * 512 + 2 * 2},
};
INSTANTIATE_TEST_SUITE_P(Heads, ModuleCounts, ::testing::ValuesIn(kHeads));

constexpr std::int64_t kNormBiases = (2 * kLayers + 2) * kImage + (2 * kLayers + 1) * kText;
const Case kBlocks[] = {
    {"bias_tuning", "bitfit", {{"biases", "maps"}}, 171'008 - kNormBiases},
    {"bias_tuning",
     "bitfit",
     {{"biases", "query-mlp"}},
     kLayers * (kImage + 4 * kImage + kText + 4 * kText)},
    {"bias_tuning", "bitfit", {{"towers", "image"}}, 102'912},
    {"bias_tuning", "layer-norm", {}, 2 * kNormBiases},
    {"bias_tuning", "layer-norm", {{"parts", "weight"}}, kNormBiases},
    {"lora", "lora", {{"maps", "q,k,v,out"}}, 245'760},
    {"lora", "lora", {{"maps", "fc1,fc2"}}, 2 * 2 * kLayers * 5 * (kImage + kText)},
    {"lora", "lora", {{"towers", "image"}, {"layers", "top3"}}, 3 * 3 * 2 * 2 * kImage},
    {"ia3", "ia3", {}, kLayers * (2 + 4) * (kImage + kText)},
    {"ssf", "ssf", {}, 2 * (3 * kImage + kLayers * (7 + 4) * kImage)},
    {"ssf", "ssf", {{"towers", "text"}}, 2 * (2 * kText + kLayers * (7 + 4) * kText)},
    {"adapters",
     "adapter-houlsby",
     {},
     2 * kLayers * (bottleneck(kImage, 48) + bottleneck(kText, 32))},
    {"adapters",
     "adapter-pfeiffer",
     {},
     kLayers * (bottleneck(kImage, 96) + bottleneck(kText, 64))},
    {"adapters",
     "adapter-parallel",
     {},
     kLayers * (bottleneck(kImage, 64) + bottleneck(kText, 64))},
    {"adapters",
     "adapter-pfeiffer",
     {{"towers", "image"}, {"train-scale", "true"}, {"norm", "true"}, {"layers", "0-1,11"}},
     3 * (bottleneck(kImage, 96) + 1 + 2 * kImage)},
    {"compacter", "compacter", {}, 64 + 2 * kLayers * (phm(kImage, 24) + phm(kText, 16))},
    {"compacter",
     "compacter",
     {{"sites", "mlp"}, {"shared-rule", "false"}, {"towers", "text"}},
     kLayers * (64 + phm(kText, 16))},
};
INSTANTIATE_TEST_SUITE_P(Blocks, ModuleCounts, ::testing::ValuesIn(kBlocks));

/// Embeddings of layers and places, and the network behind them.
constexpr std::int64_t kHyperTower =
    (kLayers + 2) * 64 + linear(3 * 64, 128) + linear(128, 64) + 2 * 64;
constexpr std::int64_t polyhistor_place(std::int64_t width, std::int64_t hidden) {
  const std::int64_t side = linear(64, 4 * (width / 4 + hidden / 4));  // rank 4, kernels 4 x 4
  return 2 * side + kLayers * (2 * 16 + hidden + width);
}
const Case kMultiTask[] = {
    {"hypernetworks",
     "hyperformer",
     {},
     2 * 64 + 2 * kHyperTower + linear(64, bottleneck(kImage, 24) + 2 * kImage) +
         linear(64, bottleneck(kText, 16) + 2 * kText)},
    {"hypernetworks",
     "polyhistor",
     {},
     2 * 64 + linear(64, 128) + linear(128, 64) + 2 * 64 + 2 * polyhistor_place(kImage, 24)},
    {"experts",
     "moe-adapter",
     {},
     4 * kLayers * (bottleneck(kImage, 24) + bottleneck(kText, 16)) + 2 * kLayers * 2 * 4},
};
INSTANTIATE_TEST_SUITE_P(MultiTask, ModuleCounts, ::testing::ValuesIn(kMultiTask));

}  // namespace
}  // namespace petlab::tests
