#include "petlab/study/plugin_loader.hpp"
#include "sample_search.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <span>
#include <string>
#include <string_view>

// The strategies of plugins/groupings, as built, in whole runs.
namespace petlab::study {
namespace {

namespace tiny = engine::testing;

using sample::plugins;
using ::testing::ElementsAre;
using tiny::tiny_spec;

/// Tasks w and y say that every picture is a cup, tasks x and z that it is a bed: what helps one
/// pair harms the other.
engine::RunInputs planted_inputs(const sdk::MethodEntry& method, const std::string& strategy) {
  engine::RunInputs inputs;
  inputs.method = &method;
  inputs.grouping = plugins().grouping(strategy).entry;
  inputs.backbone = tiny::tiny_backbone();
  for (const char* name : {"w", "x", "y", "z"})
    tiny::add_task(inputs, {name, {"cup", "bed"}, 12, 4});
  for (std::size_t t = 0; t < 4; ++t) {
    for (std::int64_t& label : inputs.tasks[t].train.labels)
      label = static_cast<std::int64_t>(t % 2);
  }
  return inputs;
}

using Given = std::map<std::string, std::string>;

results::RunRecord run_planted(engine::RunSpec spec, const engine::RunInputs& inputs,
                               const Given& options) {
  spec.training.batch = 6;
  spec.grouping = engine::GroupingSpec{inputs.grouping->name, options};
  engine::NoProgress progress;
  return engine::run_guarded(spec, {}, [&] { return inputs; }, progress);
}

struct Strategy {
  const char* name;
  Given options;
};

const Strategy kFinders[] = {
    {"gradient", {{"groups", "2"}}},
    {"gradient", {{"groups", "0"}}},
    {"gradient", {{"groups", "0"}, {"objective", "pair-sum-centred"}}},
    {"gradient", {{"accumulate", "momentum"}, {"warm-up-steps", "3"}}},
    {"gradient", {{"accumulate", "cosine-of-mean"}, {"objective", "task-mean"}}},
    {"gradient", {{"parameters", "text"}, {"layer", "1"}}},
    {"gradient", {{"parameters", "vis*"}, {"every", "2"}, {"warm-up-epochs", "2"}}},
    {"tag", {{"groups", "2"}, {"every", "2"}}},
    {"tag", {{"groups", "0"}, {"every", "1"}, {"warm-up-epochs", "1"}}},
    {"tag", {{"groups", "0"}, {"every", "1"}, {"alone", "zero"}, {"look-ahead", "0.01"}}},
    {"hoa", {{"groups", "2"}}},
    {"hoa", {{"groups", "2"}, {"held-out", "0"}, {"epochs", "3"}}},
    {"dmtg", {{"groups", "2"}, {"epochs", "10"}}},
    {"dmtg", {{"groups", "3"}, {"epochs", "15"}, {"entropy-weight", "0.1"}}},
};

TEST(GroupingStrategies, FindPlantedGroups) {
  for (const Strategy& strategy : kFinders) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      engine::RunSpec spec = tiny_spec("both", engine::Sharing::grouped_specific, 2);
      spec.seed = seed;
      const auto record =
          run_planted(spec, planted_inputs(tiny::both_prompts(), strategy.name), strategy.options);
      ASSERT_EQ(record.status, results::RunStatus::done) << record.error;
      ASSERT_TRUE(record.grouping.has_value());
      const results::GroupingRecord& found = *record.grouping;
      EXPECT_THAT(found.partition, ElementsAre(ElementsAre("w", "y"), ElementsAre("x", "z")))
          << strategy.name << ", seed " << seed << ", "
          << ::testing::PrintToString(strategy.options) << ::testing::PrintToString(found.affinity);
      // What the store keeps: matrix, runners-up, and what it cost.
      EXPECT_EQ(found.strategy, strategy.name);
      ASSERT_EQ(found.affinity.size(), 16U);
      EXPECT_FALSE(found.runners_up.empty());
      EXPECT_GE(found.score, found.runners_up.front().score);
      EXPECT_GT(found.seconds, 0.0);
      ASSERT_EQ(record.costs[1].phase, "warm-up");
      EXPECT_EQ(record.costs[1].seconds, found.seconds);
      EXPECT_GT(record.costs[1].images, 0);
      // Company of the own kind is better than of the other, for every task.
      for (std::size_t task = 0; task < 4; ++task) {
        EXPECT_GT(found.affinity[4 * task + (task + 2) % 4],
                  found.affinity[4 * task + (task + 1) % 4]);
      }
    }
  }
}

TEST(GroupingStrategies, WarmUpsCostWhatTheyTrain) {
  const auto images = [](const char* strategy, const Given& options) {
    const auto record = run_planted(tiny_spec("both", engine::Sharing::grouped, 2),
                                    planted_inputs(tiny::both_prompts(), strategy), options);
    EXPECT_EQ(record.status, results::RunStatus::done) << record.error;
    return record.costs.at(1).images;
  };
  EXPECT_EQ(images("random", {}), 0);
  EXPECT_EQ(images("one-each", {}), 0);
  EXPECT_EQ(images("given", {{"groups", "w+x,y+z"}}), 0);
  // An epoch to settle, and one in which gradients are compared.
  EXPECT_EQ(images("gradient", {}), 2 * 4 * 12);
  // 2 epochs of 2 steps, 4 tasks of 6 images; every second step has a look-ahead for each task.
  EXPECT_EQ(images("tag", {{"every", "2"}}), 2 * (2 + 4) * 4 * 6);
  // 4 tasks and 6 pairs for 2 epochs; 10 images train, 2 are held out.
  EXPECT_EQ(images("hoa", {}), (4 + 2 * 6) * (2 * 10 + 2));
  // 2 epochs through 3 branches.
  EXPECT_EQ(images("dmtg", {{"groups", "3"}}), 3 * 2 * 4 * 12);
}

TEST(GroupingStrategies, WorkWithMethodsOfEveryKind) {
  const sdk::MethodEntry* const methods[] = {&tiny::text_prompts(), &tiny::image_prompts(),
                                             &tiny::whole_copy()};
  for (const std::string& name : plugins().grouping_names()) {
    Given options;
    if (name == "given") options["groups"] = "w+x+y,z";
    for (const sdk::MethodEntry* method : methods) {
      const auto record = run_planted(tiny_spec(method->name, engine::Sharing::grouped, 1),
                                      planted_inputs(*method, name), options);
      EXPECT_EQ(record.status, results::RunStatus::done)
          << name << " with " << method->name << ": " << record.error;
    }
  }
}

/// Sizes that fit towers of 2 layers and widths 16 and 12, where a method's defaults do not.
std::map<std::string, std::string> tiny_sizes(const sdk::MethodEntry& entry) {
  std::map<std::string, std::string> options;
  const std::string_view name = entry.name;
  for (const sdk::OptionSpec& spec : std::span(entry.options, entry.option_count)) {
    const std::string_view option = spec.name;
    if (option == "reduction" || option == "kernel" || (option == "depth" && name == "maple") ||
        (option == "n" && name == "compacter"))
      options[spec.name] = "2";
  }
  return options;
}

TEST(GroupingStrategies, WorkWithEveryMethodThatTrains) {
  for (const std::string& method : plugins().method_names()) {
    const sdk::MethodEntry& entry = *plugins().method(method).entry;
    for (const char* strategy : {"gradient", "tag", "hoa", "dmtg"}) {
      engine::RunSpec spec = tiny_spec(method, engine::Sharing::grouped, 1);
      spec.training.learning_rate = 1e-3;
      spec.method_options = tiny_sizes(entry);
      const auto record = run_planted(spec, planted_inputs(entry, strategy), {});
      if (method == "zero-shot" || method == "tip-adapter") {
        EXPECT_THAT(record.error, ::testing::HasSubstr("trains nothing"));
      } else {
        EXPECT_EQ(record.status, results::RunStatus::done)
            << strategy << " with " << method << ": " << record.error;
      }
    }
  }
}

}  // namespace
}  // namespace petlab::study
