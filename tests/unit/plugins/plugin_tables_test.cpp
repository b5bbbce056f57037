#include "loaded_plugin.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <span>
#include <string>
#include <string_view>

namespace petlab::tests {
namespace {

constexpr const char* kPlugins[] = {"zero_shot",
                                    "full_finetune",
                                    "coop",
                                    "cocoop",
                                    "vpt",
                                    "single_modal_prompts",
                                    "ivlp",
                                    "kgcoop",
                                    "promptsrc",
                                    "maple",
                                    "mmap",
                                    "linear_probe",
                                    "bias_tuning",
                                    "adapters",
                                    "clip_adapter",
                                    "feature_affine",
                                    "tip_adapter",
                                    "compacter",
                                    "lora",
                                    "ia3",
                                    "ssf",
                                    "hypernetworks",
                                    "vmtl",
                                    "experts",
                                    "gradient_grouping",
                                    "random_grouping",
                                    "fixed_grouping",
                                    "tag_grouping",
                                    "hoa_grouping",
                                    "dmtg_grouping"};

std::vector<std::string> method_names(const std::string& plugin) {
  const sdk::PluginDescriptor& descriptor = load_plugin(plugin);
  std::vector<std::string> names;
  for (const auto& entry : std::span(descriptor.methods, descriptor.method_count))
    names.emplace_back(entry.name);
  return names;
}

TEST(PluginTables, DescriptorsMatchThisBuild) {
  for (const std::string name : kPlugins) {
    const sdk::PluginDescriptor& descriptor = load_plugin(name);
    EXPECT_EQ(descriptor.magic, sdk::kPluginMagic) << name;
    EXPECT_EQ(descriptor.sdk_abi, sdk::kSdkAbi) << name;
    EXPECT_EQ(descriptor.size, sizeof(sdk::PluginDescriptor)) << name;
    EXPECT_EQ(descriptor.torch_abi, sdk::kTorchAbi) << name;
    EXPECT_STREQ(descriptor.build_tag, sdk::kBuildTag);
    EXPECT_EQ(descriptor.name, name);
    EXPECT_STREQ(descriptor.licence, "MIT");
    EXPECT_THAT(descriptor.source_hash, testing::MatchesRegex("[0-9a-f]+")) << name;
    EXPECT_EQ(std::string(descriptor.source_hash).size(), 64u) << name;
  }
}

TEST(PluginTables, MethodsHaveTheNamesThatProtocolsUse) {
  EXPECT_THAT(method_names("zero_shot"), testing::ElementsAre("zero-shot"));
  EXPECT_THAT(method_names("full_finetune"), testing::ElementsAre("full-fine-tuning"));
  EXPECT_THAT(method_names("coop"), testing::ElementsAre("coop", "coop-csc"));
  EXPECT_THAT(method_names("cocoop"), testing::ElementsAre("cocoop"));
  EXPECT_THAT(method_names("ivlp"), testing::ElementsAre("ivlp"));
  EXPECT_THAT(method_names("kgcoop"), testing::ElementsAre("kgcoop"));
  EXPECT_THAT(method_names("promptsrc"), testing::ElementsAre("promptsrc"));
  EXPECT_THAT(method_names("maple"), testing::ElementsAre("maple"));
  EXPECT_THAT(method_names("vpt"), testing::ElementsAre("vpt-deep", "vpt-shallow"));
  EXPECT_THAT(method_names("single_modal_prompts"),
              testing::ElementsAre("text-prompt", "vision-prompt"));
  EXPECT_THAT(method_names("mmap"), testing::ElementsAre("mmap"));
  EXPECT_THAT(method_names("linear_probe"),
              testing::ElementsAre("linear-probe", "logistic-regression"));
  EXPECT_THAT(method_names("bias_tuning"), testing::ElementsAre("bitfit", "layer-norm"));
  EXPECT_THAT(method_names("adapters"),
              testing::ElementsAre("adapter-houlsby", "adapter-pfeiffer", "adapter-parallel"));
  EXPECT_THAT(method_names("clip_adapter"), testing::ElementsAre("clip-adapter"));
  EXPECT_THAT(method_names("feature_affine"), testing::ElementsAre("feature-affine"));
  EXPECT_THAT(method_names("tip_adapter"), testing::ElementsAre("tip-adapter", "tip-adapter-f"));
  EXPECT_THAT(method_names("compacter"), testing::ElementsAre("compacter"));
  EXPECT_THAT(method_names("lora"), testing::ElementsAre("lora"));
  EXPECT_THAT(method_names("ia3"), testing::ElementsAre("ia3"));
  EXPECT_THAT(method_names("ssf"), testing::ElementsAre("ssf"));
  EXPECT_THAT(method_names("hypernetworks"), testing::ElementsAre("hyperformer", "polyhistor"));
  EXPECT_THAT(method_names("vmtl"), testing::ElementsAre("vmtl"));
  EXPECT_THAT(method_names("experts"), testing::ElementsAre("moe-adapter"));
}

TEST(PluginTables, DefaultsFitTheirOwnSchema) {
  for (const std::string name : kPlugins) {
    const sdk::PluginDescriptor& descriptor = load_plugin(name);
    const auto check = [](const auto& entry) {
      GivenOptions defaults;
      for (const auto& spec : std::span(entry.options, entry.option_count)) {
        defaults[spec.name] = spec.default_value;
        EXPECT_STRNE(spec.help, "") << entry.name << " " << spec.name;
      }
      EXPECT_NO_THROW(
          sdk::Options(std::span(entry.options, entry.option_count), defaults, entry.name));
      EXPECT_STRNE(entry.summary, "") << entry.name;
    };
    for (const auto& entry : std::span(descriptor.methods, descriptor.method_count))
      check(entry);
    for (const auto& entry : std::span(descriptor.groupings, descriptor.grouping_count))
      check(entry);
  }
}

TEST(PluginTables, TrainingDefaultsNameTheirSource) {
  for (const std::string name : kPlugins) {
    const sdk::PluginDescriptor& descriptor = load_plugin(name);
    for (const auto& entry : std::span(descriptor.methods, descriptor.method_count))
      EXPECT_STRNE(entry.training.source, "") << entry.name;
  }
  EXPECT_EQ(find_method("coop", "coop").training.learning_rate, 0.002);
  EXPECT_EQ(find_method("vpt", "vpt-deep").training.learning_rate, 0.0025);
  EXPECT_EQ(find_method("single_modal_prompts", "text-prompt").training.learning_rate, 0.0025);
  EXPECT_EQ(find_method("mmap", "mmap").training.learning_rate, 0.0035);
  EXPECT_STREQ(find_method("full_finetune", "full-fine-tuning").training.optimizer, "adamw");
  EXPECT_EQ(find_method("full_finetune", "full-fine-tuning").training.learning_rate, 1e-5);
}

TEST(PluginTables, PublishedBudgetsAreWhole) {
  std::set<std::string> some;
  for (const std::string name : kPlugins) {
    const sdk::PluginDescriptor& descriptor = load_plugin(name);
    for (const auto& entry : std::span(descriptor.methods, descriptor.method_count)) {
      if (entry.training.budget == nullptr) continue;
      some.insert(entry.name);
      for (const std::int64_t shots : {1, 2, 4, 8, 16}) {
        const sdk::PublishedBudget budget = entry.training.budget(shots);
        EXPECT_NE(budget.epochs > 0, budget.steps > 0) << entry.name;
        EXPECT_GT(budget.batch, 0) << entry.name;
      }
    }
  }
  EXPECT_THAT(some, testing::IsSupersetOf({"coop", "cocoop", "maple", "ivlp", "vpt-deep", "kgcoop",
                                           "promptsrc", "lora", "tip-adapter-f"}));
  EXPECT_EQ(find_method("mmap", "mmap").training.budget, nullptr);
}

TEST(PluginTables, OnlyTheFrozenBackboneIsABaseline) {
  for (const std::string name : kPlugins) {
    const sdk::PluginDescriptor& descriptor = load_plugin(name);
    for (const auto& entry : std::span(descriptor.methods, descriptor.method_count))
      EXPECT_EQ(std::string_view(entry.trait) == sdk::trait::kBaseline,
                std::string_view(entry.name) == "zero-shot")
          << entry.name;
  }
}

TEST(PluginTables, OnlyCopiesOfWeightsAndHeadsCannotBeComposed) {
  const std::set<std::string> alone{"full-fine-tuning",   "bitfit", "layer-norm",
                                    "linear-probe",       "vmtl",   "zero-shot",
                                    "logistic-regression"};
  for (const std::string name : kPlugins) {
    const sdk::PluginDescriptor& descriptor = load_plugin(name);
    for (const auto& entry : std::span(descriptor.methods, descriptor.method_count))
      EXPECT_EQ(entry.composable, alone.count(entry.name) == 0) << entry.name;
  }
}

}  // namespace
}  // namespace petlab::tests
