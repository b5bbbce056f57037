#include "petlab/engine/stored_adapters.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/clip/safetensors.hpp"
#include "petlab/engine/evaluation.hpp"
#include "petlab/engine/stored_model.hpp"
#include "tiny_world.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace petlab::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::tiny_inputs;
using testing::tiny_spec;

template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

class StoredAdaptersTest : public ::testing::Test {
 protected:
  fs::path folder_ = fs::temp_directory_path() / ("petlab-adapters-" + std::to_string(::getpid()));
  fs::path file_ = folder_ / "run.safetensors";

  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  results::RunRecord run(const RunSpec& spec, const RunInputs& inputs) const {
    NoProgress progress;
    RunInfo info;
    info.identity = {std::string(64, 'e'), {}};
    info.plugin = "tiny";
    info.adapters.file = file_;
    RunSpec complete = spec;
    if (inputs.grouping != nullptr) complete.grouping = GroupingSpec{inputs.grouping->name, {}};
    auto record = run_guarded(complete, info, [&] { return inputs; }, progress);
    EXPECT_EQ(record.status, results::RunStatus::done) << record.error;
    return record;
  }

  static results::RunRecord evaluated(const RunSpec& spec, const RunInputs& inputs,
                                      const StoredAdapters& stored,
                                      const results::RunRecord& parent,
                                      const StandIn& stand_in = {}) {
    NoProgress progress;
    return execute_evaluation(spec, {}, inputs, stored, parent, stand_in, progress);
  }
};

TEST_F(StoredAdaptersTest, GiveTheRunsTestResultsToTheLastBit) {
  for (const auto* method :
       {&testing::both_prompts(), &testing::text_prompts(), &testing::image_prompts(),
        &testing::whole_copy(), &testing::nothing()}) {
    for (const Sharing sharing :
         {Sharing::per_task, Sharing::joint, Sharing::joint_specific, Sharing::grouped}) {
      if (sharing == Sharing::joint_specific && !method->composable) continue;
      // What trains nothing has no gradients to find groups by.
      if (has_groups(sharing) && method == &testing::nothing()) continue;
      const sdk::GroupingEntry* grouping = has_groups(sharing) ? &testing::by_gradients() : nullptr;
      const RunInputs inputs = tiny_inputs(*method, grouping);
      const RunSpec spec = tiny_spec(method->name, sharing);
      const auto parent = run(spec, inputs);
      EXPECT_EQ(parent.adapters_hash, base::sha256_of_file(file_));
      EXPECT_EQ(static_cast<std::uintmax_t>(parent.adapters_bytes), fs::file_size(file_));
      const StoredAdapters stored = read_adapters(file_);
      EXPECT_EQ(stored.facts.identity, parent.identity.hash);
      EXPECT_EQ(stored.facts.options, parent.options);
      const auto repeat = evaluated(spec, inputs, stored, parent);
      EXPECT_EQ(repeat.kind, results::run_kind::kEvaluation);
      EXPECT_EQ(repeat.parent, parent.identity.hash);
      EXPECT_EQ(repeat.trained_hash, parent.trained_hash);
      ASSERT_EQ(repeat.tasks.size(), parent.tasks.size());
      for (std::size_t t = 0; t < parent.tasks.size(); ++t) {
        EXPECT_EQ(repeat.tasks[t].loss, parent.tasks[t].loss) << method->name;
        for (std::size_t i = 0; i < parent.tasks[t].predictions.size(); ++i)
          EXPECT_EQ(repeat.tasks[t].predictions[i].probability,
                    parent.tasks[t].predictions[i].probability)
              << method->name;
      }
    }
  }
}

TEST_F(StoredAdaptersTest, OfTheSameRunAreTheSameBytes) {
  const RunInputs inputs = tiny_inputs(testing::both_prompts());
  const RunSpec spec = tiny_spec("both", Sharing::joint_specific);
  const auto first = run(spec, inputs);
  EXPECT_EQ(run(spec, inputs).adapters_hash, first.adapters_hash);
  RunSpec other = spec;
  other.seed = 4;
  EXPECT_NE(run(other, inputs).adapters_hash, first.adapters_hash);
}

TEST_F(StoredAdaptersTest, SayInTheHeaderWhatTheyAre) {
  run(tiny_spec("both", Sharing::joint_specific), tiny_inputs(testing::both_prompts()));
  const auto header = clip::read_safetensors_metadata(file_);
  EXPECT_EQ(header.at("format"), "pt");
  EXPECT_EQ(header.at("method"), "both");
  EXPECT_EQ(header.at("sharing"), "joint+specific");
  EXPECT_EQ(header.at("text_template"), "a photo of a {}.");
  EXPECT_THAT(header.at("tasks"), AllOf(HasSubstr("emoji"), HasSubstr("red cup")));
  EXPECT_THAT(header.at("licence"), HasSubstr("plugin tiny"));
  std::vector<std::string> names;
  for (const auto& tensor : clip::read_safetensors(file_))
    names.push_back(tensor.name.substr(0, tensor.name.find('/')));
  EXPECT_THAT(names, ::testing::IsSupersetOf({"shared", "task line", "task flat", "task emoji"}));
}

/// A part of each kind, with values that no default has.
sdk::BackboneChanges all_kinds() {
  const auto t = [](std::initializer_list<std::int64_t> sizes) {
    return at::rand(at::IntArrayRef(sizes.begin(), sizes.size()), at::kFloat);
  };
  sdk::BackboneChanges c;
  c.vision.prompts = {{.layer = 1, .tokens = t({2, 16})}};
  c.vision.prompt_composition = sdk::PromptComposition::add;
  c.vision.bottlenecks.push_back({.layer = 1,
                                  .site = sdk::BottleneckSite::parallel_attention,
                                  .down = t({3, 16}),
                                  .down_bias = t({3}),
                                  .up = t({16, 3}),
                                  .up_bias = {},
                                  .nonlinearity = sdk::Nonlinearity::quick_gelu,
                                  .scale = t({}),
                                  .norm_weight = t({16}),
                                  .norm_bias = t({16})});
  c.vision.low_ranks.push_back(
      {.layer = 1, .map = sdk::LinearMap::fc2, .down = t({2, 32}), .up = t({16, 2}), .scale = 0.1});
  c.vision.affines.push_back(
      {.layer = 1, .place = sdk::AffinePlace::final_norm, .scale = t({16}), .shift = {}});
  c.vision.feature_adapters.push_back({.down = t({4, 8}),
                                       .down_bias = {},
                                       .up = t({8, 4}),
                                       .up_bias = t({8}),
                                       .nonlinearity = sdk::Nonlinearity::gelu,
                                       .activate_output = false,
                                       .ratio = 0.3});
  c.text.class_position = sdk::ClassPosition::front;
  c.text.prompts = {{.layer = 0, .tokens = t({2, 12})}};
  c.text.condition = sdk::PromptCondition{t({2, 8}), t({2}), t({12, 2}), t({12})};
  c.weights = {{"a.weight", t({3, 2})}};
  c.head = sdk::ClassHead{t({3, 8}), {}, 0.25, false};
  c.caches = {{t({5, 8}), t({5, 3}), 2.5, 3.5}};
  // As they may lie in memory: transposed, expanded, a part of something from an odd address.
  c.caches.push_back({t({8, 5}).t(), t({3}).expand({5, 3}), 1.0, 1.0});
  c.caches.push_back({t({7, 8}).narrow(0, 2, 5), t({5, 7}).narrow(1, 1, 3), 1.0, 1.0});
  return c;
}

StoredAdapters one_of_all_kinds() {
  StoredAdapters stored;
  stored.facts.text_template = "{}";
  stored.facts.options = {{"z", "1"}, {"a", "2"}};
  stored.tasks = {{"line", {"cup", "bed", "fan"}, {0}}};
  stored.adapters = {{{Scope::shared, "", ""}, {}, {all_kinds()}}};
  return stored;
}

TEST_F(StoredAdaptersTest, KeepEveryKindOfChangeWithItsTensorsAndValues) {
  const StoredAdapters stored = one_of_all_kinds();
  write_adapters(stored, file_);
  const StoredAdapters back = read_adapters(file_);
  EXPECT_EQ(back.facts.options, stored.facts.options);
  const sdk::BackboneChanges& a = stored.adapters[0].changes[0];
  const sdk::BackboneChanges& b = back.adapters[0].changes[0];
  std::vector<at::Tensor> theirs;
  sdk::visit_tensors(
      b, [&](const at::Tensor& tensor, const sdk::TensorSpec&) { theirs.push_back(tensor); });
  std::size_t i = 0;
  sdk::visit_tensors(a, [&](const at::Tensor& tensor, const sdk::TensorSpec& spec) {
    const at::Tensor& other = theirs.at(i++);
    ASSERT_EQ(tensor.defined(), other.defined()) << spec.name;
    if (!tensor.defined()) return;
    EXPECT_TRUE(at::equal(tensor, other)) << spec.name;
    EXPECT_EQ(tensor.strides(), other.strides()) << spec.name;
    EXPECT_EQ(tensor.storage_offset() % 16, other.storage_offset() % 16) << spec.name;
  });
  EXPECT_EQ(i, theirs.size());
  EXPECT_EQ(b.vision.prompt_composition, sdk::PromptComposition::add);
  EXPECT_EQ(b.vision.prompts.at(0).layer, 1);
  EXPECT_EQ(b.vision.bottlenecks.at(0).site, sdk::BottleneckSite::parallel_attention);
  EXPECT_EQ(b.vision.bottlenecks.at(0).nonlinearity, sdk::Nonlinearity::quick_gelu);
  EXPECT_EQ(b.vision.low_ranks.at(0).map, sdk::LinearMap::fc2);
  EXPECT_EQ(b.vision.low_ranks.at(0).scale, 0.1);
  EXPECT_EQ(b.vision.affines.at(0).place, sdk::AffinePlace::final_norm);
  EXPECT_EQ(b.vision.feature_adapters.at(0).activate_output, false);
  EXPECT_EQ(b.vision.feature_adapters.at(0).ratio, 0.3);
  EXPECT_EQ(b.text.class_position, sdk::ClassPosition::front);
  EXPECT_TRUE(b.text.condition.has_value());
  EXPECT_EQ(b.weights.at(0).name, "a.weight");
  EXPECT_EQ(b.head->scale, 0.25);
  EXPECT_EQ(b.head->unit_features, false);
  EXPECT_EQ(b.caches.at(0).alpha, 2.5);
  EXPECT_EQ(b.caches.at(0).beta, 3.5);
}

TEST_F(StoredAdaptersTest, WriteATensorThatIsParameterAndChangeOnce) {
  StoredAdapters stored = one_of_all_kinds();
  stored.adapters[0].parameters = {{"low", stored.adapters[0].changes[0].vision.low_ranks[0].down}};
  write_adapters(stored, file_);
  int low = 0;
  for (const auto& tensor : clip::read_safetensors(file_))
    low += tensor.name == "shared/low" || tensor.name.ends_with("low_ranks.0.down") ? 1 : 0;
  EXPECT_EQ(low, 1);
}

TEST_F(StoredAdaptersTest, RefuseWhatIsNoFileOfAdapters) {
  EXPECT_THAT(refusal([&] { (void)read_adapters(folder_ / "none"); }), HasSubstr("none"));
  clip::write_safetensors({}, file_, {{"format", "pt"}});
  EXPECT_THAT(refusal([&] { (void)read_adapters(file_); }),
              AllOf(HasSubstr("is no file of petlab's adapters"), HasSubstr("has no 'petlab'")));
  write_adapters(one_of_all_kinds(), file_);
  const auto tensors = clip::read_safetensors(file_);
  const auto header = clip::read_safetensors_metadata(file_);
  const auto with = [&](const std::string& name, const std::string& from, const std::string& to) {
    auto changed = header;
    const auto at = changed[name].find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed[name].replace(at, from.size(), to);
    clip::write_safetensors(tensors, file_, changed);
    return refusal([&] { (void)read_adapters(file_); });
  };
  EXPECT_THAT(with("petlab", "1", "2"), HasSubstr("expected 'adapters 1'"));
  EXPECT_THAT(with("adapters", "\"fc2\"", "\"fc3\""), HasSubstr("it has 'fc3'"));
  EXPECT_THAT(with("adapters", "shared/changes/head.weight", "nothing"),
              HasSubstr("it has no tensor 'nothing'"));
  EXPECT_THAT(with("adapters", "\"strides\":[1,5]", "\"strides\":[1,5000000000]"),
              HasSubstr("strides that cannot be"));
  EXPECT_THAT(with("adapters", "\"strides\":[1,5]", "\"strides\":[1,0]"),
              HasSubstr("strides that cannot be"));
  EXPECT_THAT(with("tasks", "[0]", "[1]"), HasSubstr("an adapter that is not there"));
  EXPECT_THAT(with("tasks", "[0]", "[]"), HasSubstr("no adapter"));
  EXPECT_THAT(with("adapters", "[{", "{"), HasSubstr("damaged"));
}

TEST_F(StoredAdaptersTest, ClassifyTasksThatTheRunDoesNotKnowOnlyAsAsked) {
  const RunInputs inputs = tiny_inputs(testing::both_prompts());
  const RunSpec spec = tiny_spec("both", Sharing::per_task);
  const auto parent = run(spec, inputs);
  const StoredAdapters stored = read_adapters(file_);
  RunInputs other = inputs;
  other.tasks = {};
  other.load_test = {};
  testing::add_task(other, {"poster", {"cup", "bed"}, 1, 4});
  EXPECT_THAT(refusal([&] { evaluated(spec, other, stored, parent); }),
              AllOf(HasSubstr("line, flat, emoji"), HasSubstr("does not know 'poster'"),
                    HasSubstr("--as TASK")));
  EXPECT_THAT(refusal([&] { evaluated(spec, other, stored, parent, {.task = "lime"}); }),
              AllOf(HasSubstr("has no task 'lime'"), HasSubstr("'line'")));
  EXPECT_EQ(evaluated(spec, other, stored, parent, {.task = "flat"}).tasks.at(0).n_test, 4);

  // Every task with the adapters of one: those of "flat" are its own.
  const auto as_flat = evaluated(spec, inputs, stored, parent, {.task = "flat", .for_all = true});
  ASSERT_EQ(as_flat.tasks.size(), parent.tasks.size());
  for (std::size_t t = 0; t < parent.tasks.size(); ++t)
    EXPECT_EQ(as_flat.tasks[t].loss == parent.tasks[t].loss, parent.tasks[t].task == "flat");
  EXPECT_THAT(as_flat.environment,
              ::testing::Contains(std::pair<std::string, std::string>("tested_as", "flat")));

  const RunSpec joint = tiny_spec("both", Sharing::joint);
  const auto joint_parent = run(joint, inputs);
  EXPECT_EQ(evaluated(joint, other, read_adapters(file_), joint_parent).tasks.at(0).n_test, 4);
  RunInputs strange = other;
  strange.backbone = testing::tiny_backbone(/*seed=*/9);
  EXPECT_THAT(refusal([&] { evaluated(joint, strange, read_adapters(file_), joint_parent); }),
              HasSubstr("this one has other weights"));
}

}  // namespace
}  // namespace petlab::engine
