// What the options of the methods that are not prompts do, and which they refuse.
#include "fake_backbone.hpp"
#include "loaded_plugin.hpp"

#include <ATen/ops/allclose.h>
#include <gtest/gtest.h>

#include <set>

namespace petlab::tests {
namespace {

std::string refusal(const std::string& plugin, const std::string& method,
                    const GivenOptions& options) {
  return error_of(sdk::ErrorKind::config, [&] {
    (void)make_adapter(*make_method(plugin, method, options), FakeBackbone::small());
  });
}

std::set<std::int64_t> lora_layers(const std::string& layers) {
  const auto adapter =
      make_adapter(*make_method("lora", "lora", {{"layers", layers}}), FakeBackbone::vit_b16());
  std::set<std::int64_t> found;
  for (const sdk::LowRank& change : adapter->changes({}).vision.low_ranks)
    found.insert(change.layer);
  return found;
}

TEST(ModuleOptions, LayersHaveTheNamesOfClipLora) {
  EXPECT_EQ(lora_layers("bottom"), (std::set<std::int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(lora_layers("mid"), (std::set<std::int64_t>{4, 5, 6, 7}));
  EXPECT_EQ(lora_layers("up"), (std::set<std::int64_t>{8, 9, 10, 11}));
  EXPECT_EQ(lora_layers("half-bottom"), (std::set<std::int64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(lora_layers("half-up"), (std::set<std::int64_t>{6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(lora_layers("top3"), (std::set<std::int64_t>{9, 10, 11}));
  EXPECT_EQ(lora_layers("all").size(), 12U);
  EXPECT_EQ(lora_layers("7, 1-3,2"), (std::set<std::int64_t>{1, 2, 3, 7}));
}

TEST(ModuleOptions, LayersThatAreNoneAreRefused) {
  for (const std::string layers : {"4", "0-4", "2-1", "x", "1-", "-1", "1,,2"})
    EXPECT_EQ(refusal("lora", "lora", {{"layers", layers}, {"towers", "image"}}),
              "method 'lora': option 'layers' is '" + layers +
                  "', expected all, bottom, mid, up, half-bottom, half-up, top3 or indices such as "
                  "0-2,5 below 4, the layers of the tower");
}

TEST(ModuleOptions, ListsAreChecked) {
  EXPECT_EQ(refusal("lora", "lora", {{"maps", "q,q"}}),
            "method 'lora': option 'maps' is 'q,q', expected a list of q, k, v, out, fc1, fc2, "
            "each at most once");
  EXPECT_EQ(refusal("ia3", "ia3", {{"places", "k,q"}}),
            "method 'ia3': option 'places' is 'k,q', expected a list of k, v, hidden");
  EXPECT_EQ(refusal("zero_shot", "zero-shot", {{"templates", "a {}.|a cup"}}),
            "method 'zero-shot', option 'templates': option 'template' is 'a cup', expected a text "
            "with exactly one {} for the class name");
}

TEST(ModuleOptions, SizesThatDoNotFitAreRefused) {
  EXPECT_EQ(
      refusal("compacter", "compacter", {{"reduction", "4"}}),
      "method 'compacter': option 'n' is 4, expected a divisor of the tower's width 24 and of "
      "the bottleneck's 6");
  EXPECT_EQ(refusal("clip_adapter", "clip-adapter", {{"reduction", "13"}}),
            "method 'clip-adapter': option 'reduction' is 13, expected at most the width of the "
            "shared space, 12");
  EXPECT_EQ(refusal("adapters", "adapter-houlsby", {{"reduction", "25"}}),
            "method 'adapter-houlsby': option 'reduction' is 25, expected at most the width of the "
            "tower, 24");
  EXPECT_EQ(refusal("hypernetworks", "hyperformer", {{"reduction", "25"}}),
            "method 'hyperformer': option 'reduction' is 25, expected at most the width of the "
            "tower, 24");
  EXPECT_EQ(refusal("hypernetworks", "polyhistor", {{"reduction", "4"}}),
            "method 'polyhistor': option 'kernel' is 4, expected a divisor of the tower's width 24 "
            "and of the bottleneck's 6");
  EXPECT_EQ(refusal("experts", "moe-adapter", {{"top-k", "5"}, {"reduction", "4"}}),
            "method 'moe-adapter': option 'top-k' is 5, expected at most n-experts, 4");
}

TEST(ModuleOptions, LoraIsScaledByAlphaAndRank) {
  const auto scale = [](const GivenOptions& options) {
    const auto adapter = make_adapter(*make_method("lora", "lora", options), FakeBackbone::small());
    return adapter->changes({}).text.low_ranks.front().scale;
  };
  EXPECT_DOUBLE_EQ(scale({{"rank", "4"}, {"alpha", "2"}}), 1.0);
  EXPECT_DOUBLE_EQ(scale({{"rank", "4"}, {"alpha", "2"}, {"scaling", "rank"}}), 0.5);
}

TEST(ModuleOptions, TowersAreLeftAlone) {
  for (const auto& [plugin, method] : std::map<std::string, std::string>{
           {"lora", "lora"}, {"ia3", "ia3"}, {"adapters", "adapter-houlsby"}}) {
    const GivenOptions image{{"towers", "image"}};
    const auto changes =
        make_adapter(*make_method(plugin, method, image), FakeBackbone::small())->changes({});
    EXPECT_TRUE(changes.text.low_ranks.empty() && changes.text.affines.empty() &&
                changes.text.bottlenecks.empty());
    EXPECT_FALSE(changes.vision.low_ranks.empty() && changes.vision.affines.empty() &&
                 changes.vision.bottlenecks.empty());
  }
}

TEST(ModuleOptions, AdaptersAreDrawnFromTheGivenGenerator) {
  for (const auto& [method, plugin] :
       std::map<std::string, std::string>{{"lora", "lora"},
                                          {"ssf", "ssf"},
                                          {"adapter-houlsby", "adapters"},
                                          {"clip-adapter", "clip_adapter"},
                                          {"polyhistor", "hypernetworks"},
                                          {"moe-adapter", "experts"},
                                          {"vmtl", "vmtl"}}) {
    GivenOptions options;
    if (method != "lora" && method != "ssf" && method != "vmtl") options["reduction"] = "2";
    const auto made = make_method(plugin, method, options);
    const FakeBackbone backbone = FakeBackbone::small();
    const auto values = [&](std::uint64_t seed) {
      return flat_parameters(*make_adapter(*made, backbone, seed));
    };
    EXPECT_TRUE(values(1).equal(values(1))) << method;
    EXPECT_FALSE(values(1).equal(values(2))) << method;
  }
}

}  // namespace
}  // namespace petlab::tests
