#include "petlab/engine/run_checkpoint.hpp"

#include "petlab/engine/run.hpp"
#include "petlab/engine/run_spec.hpp"
#include "petlab/sdk/training_adapter.hpp"
#include "tiny_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace petlab::engine {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;

/// Ends the run, as a power cut would, at the n-th sign of life of a phase; keeps the notes.
class StopAt final : public Progress {
 public:
  explicit StopAt(std::string phase = "", std::int64_t update = 0)
      : phase_(std::move(phase)), update_(update) {}

  void begin(std::string_view phase, std::int64_t) override {
    now_ = phase;
    seen_ = 0;
  }
  void update(std::int64_t, std::string_view) override {
    if (now_ == phase_ && ++seen_ == update_) throw std::runtime_error("the power is gone");
  }
  void note(std::string_view text) override { notes.emplace_back(text); }

  std::vector<std::string> notes;

 private:
  std::string phase_, now_;
  std::int64_t update_, seen_ = 0;
};

/// Prompts that are tested as a mean over all epochs.
class MeanOfEpochs final : public sdk::Method {
 public:
  [[nodiscard]] std::string text_template() const override { return "a photo of a {}."; }
  [[nodiscard]] std::unique_ptr<sdk::Adapter> make_adapter(
      const sdk::AdapterContext& context) const override {
    const std::shared_ptr<sdk::Adapter> inner =
        testing::both_prompts().make({})->make_adapter(context);
    return sdk::make_training_adapter(
        inner->parameters(),
        {.changes = [inner](const sdk::ChangeRequest& r) { return inner->changes(r); },
         .epoch_weights =
             [](std::int64_t epochs) {
               return std::vector<double>(static_cast<std::size_t>(epochs),
                                          1.0 / static_cast<double>(epochs));
             }});
  }
};

constexpr sdk::MethodEntry kMeanOfEpochs{
    .name = "mean", .composable = true, .make = [](const sdk::Options&) {
      return std::unique_ptr<sdk::Method>(std::make_unique<MeanOfEpochs>());
    }};

class Checkpoint : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("petlab-checkpoint-test-" + std::to_string(getpid()));
    fs::create_directories(folder_);
    place_ = {folder_ / "deep" / "run.safetensors", 0.0};
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] results::RunRecord run(const RunSpec& spec, const RunInputs& inputs,
                                       StopAt& progress,
                                       const std::string& identity = "this run") const {
    RunSpec complete = spec;
    if (inputs.grouping != nullptr) complete.grouping = GroupingSpec{inputs.grouping->name, {}};
    RunInfo info;
    info.identity.hash = identity;
    info.checkpoint = place_;
    return run_guarded(complete, info, [&] { return inputs; }, progress);
  }

  fs::path folder_;
  CheckpointPlace place_;
};

void expect_same_bits(const results::RunRecord& a, const results::RunRecord& b) {
  EXPECT_EQ(a.trained_hash, b.trained_hash);
  ASSERT_EQ(a.tasks.size(), b.tasks.size());
  for (std::size_t t = 0; t < a.tasks.size(); ++t) {
    EXPECT_EQ(a.tasks[t].loss, b.tasks[t].loss);
    for (std::size_t i = 0; i < a.tasks[t].predictions.size(); ++i) {
      EXPECT_EQ(a.tasks[t].predictions[i].predicted, b.tasks[t].predictions[i].predicted);
      EXPECT_EQ(a.tasks[t].predictions[i].probability, b.tasks[t].predictions[i].probability);
    }
  }
  ASSERT_EQ(a.epochs.size(), b.epochs.size());
  for (std::size_t e = 0; e < a.epochs.size(); ++e) {
    EXPECT_EQ(a.epochs[e].loss, b.epochs[e].loss);
    EXPECT_EQ(a.epochs[e].learning_rate, b.epochs[e].learning_rate);
    EXPECT_EQ(a.epochs[e].steps, b.epochs[e].steps);
    EXPECT_EQ(a.epochs[e].images, b.epochs[e].images);
    EXPECT_EQ(a.epochs[e].phase, b.epochs[e].phase);
  }
  EXPECT_EQ(a.step_flops, b.step_flops);
  EXPECT_EQ(a.image_flops, b.image_flops);
  EXPECT_EQ(a.grouping.has_value(), b.grouping.has_value());
  if (a.grouping && b.grouping) {
    EXPECT_EQ(a.grouping->affinity, b.grouping->affinity);
    EXPECT_EQ(a.grouping->partition, b.grouping->partition);
    EXPECT_EQ(a.grouping->score, b.grouping->score);
  }
}

TEST_F(Checkpoint, ARunStoppedAfterAnyStepEndsWithTheSameBits) {
  struct Case {
    const sdk::MethodEntry* method;
    Sharing sharing;
    OptimizerKind optimizer;
  };
  for (const Case& one :
       {Case{&testing::both_prompts(), Sharing::per_task, OptimizerKind::sgd},
        Case{&kMeanOfEpochs, Sharing::joint, OptimizerKind::sgd},
        Case{&testing::text_prompts(), Sharing::joint_specific, OptimizerKind::adamw},
        Case{&testing::whole_copy(), Sharing::joint, OptimizerKind::adamw}}) {
    const RunInputs inputs = testing::tiny_inputs(*one.method);
    RunSpec spec = testing::tiny_spec(one.method->name, one.sharing, 3);
    spec.training.optimizer = one.optimizer;
    spec.training.augmentation = Augmentation::crop_flip;
    const results::RunRecord whole = testing::run_well(spec, inputs);
    // Four steps an epoch: the first one, the middle and the end of an epoch, the last step of all.
    for (const std::int64_t stop : {1, 6, 8, 12}) {
      StopAt power_cut("train", stop);
      const auto broken = run(spec, inputs, power_cut);
      ASSERT_EQ(broken.status, results::RunStatus::failed);
      EXPECT_EQ(fs::exists(place_.file), stop > 1) << "saved after a step, before it is reported";
      StopAt steady;
      const auto resumed = run(spec, inputs, steady);
      ASSERT_EQ(resumed.status, results::RunStatus::done) << resumed.error;
      EXPECT_EQ(resumed.resumed, stop > 1 ? 1 : 0);
      expect_same_bits(whole, resumed);
      fs::remove(place_.file);
    }
  }
}

TEST_F(Checkpoint, ManyStopsAndAStopWhileTestingChangeNothing) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  const RunSpec spec = testing::tiny_spec("both", Sharing::joint, 3);
  const results::RunRecord whole = testing::run_well(spec, inputs);
  for (int cut = 0; cut < 5; ++cut) {
    StopAt power_cut("train", 3);  // two steps further each time
    EXPECT_EQ(run(spec, inputs, power_cut).status, results::RunStatus::failed);
  }
  StopAt while_testing("evaluate", 1);
  EXPECT_EQ(run(spec, inputs, while_testing).status, results::RunStatus::failed);
  StopAt steady;
  const auto resumed = run(spec, inputs, steady);
  EXPECT_EQ(resumed.resumed, 6);
  EXPECT_EQ(resumed.test_evaluations, 1);
  expect_same_bits(whole, resumed);
}

TEST_F(Checkpoint, SaysWhereTheTrainingStands) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  const RunSpec spec = testing::tiny_spec("both", Sharing::joint, 3);
  const auto position = [&](const std::string& identity) {
    return position_in(place_.file, {.hash = identity, .parts = {}});
  };
  EXPECT_FALSE(position("this run"));
  StopAt power_cut("train", 7);  // four steps an epoch, saved after each
  EXPECT_EQ(run(spec, inputs, power_cut).status, results::RunStatus::failed);
  ASSERT_TRUE(position("this run"));
  EXPECT_EQ(position("this run")->epoch, 1);
  EXPECT_EQ(position("this run")->step, 2);
  EXPECT_FALSE(position("another run"));
  EXPECT_TRUE(fs::exists(place_.file)) << "only read";
}

TEST_F(Checkpoint, AGroupingIsFoundOnce) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts(), &testing::by_gradients());
  const RunSpec spec = testing::tiny_spec("both", Sharing::grouped_specific, 2);
  const results::RunRecord whole = testing::run_well(spec, inputs);
  for (const std::int64_t stop : {1, 2, 5}) {
    StopAt power_cut("train", stop);
    EXPECT_EQ(run(spec, inputs, power_cut).status, results::RunStatus::failed);
    StopAt steady("warm-up", 1);  // a second warm-up would end the run
    const auto resumed = run(spec, inputs, steady);
    ASSERT_EQ(resumed.status, results::RunStatus::done) << resumed.error;
    EXPECT_EQ(resumed.resumed, 1);
    expect_same_bits(whole, resumed);
    fs::remove(place_.file);
  }
}

TEST_F(Checkpoint, ADamagedOneIsSaidAndNotUsed) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  const RunSpec spec = testing::tiny_spec("both", Sharing::joint, 2);
  const results::RunRecord whole = testing::run_well(spec, inputs);
  StopAt power_cut("train", 4);
  EXPECT_EQ(run(spec, inputs, power_cut).status, results::RunStatus::failed);
  const auto size = static_cast<std::int64_t>(fs::file_size(place_.file));
  {
    std::fstream file(place_.file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(size / 2);
    const auto byte = static_cast<char>(file.get());
    file.seekp(size / 2);
    file.put(static_cast<char>(byte ^ 1));
  }
  StopAt steady;
  const auto anew = run(spec, inputs, steady);
  EXPECT_THAT(steady.notes, Contains(HasSubstr("cannot be used")));
  EXPECT_EQ(anew.resumed, 0);
  expect_same_bits(whole, anew);
}

TEST_F(Checkpoint, OfAnotherRunIsNotUsed) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  const RunSpec spec = testing::tiny_spec("both", Sharing::joint, 2);
  StopAt power_cut("train", 4);
  EXPECT_EQ(run(spec, inputs, power_cut, "one run").status, results::RunStatus::failed);
  StopAt steady;
  const auto other = run(spec, inputs, steady, "another run");
  EXPECT_THAT(steady.notes, Contains(HasSubstr("another run's")));
  EXPECT_EQ(other.resumed, 0);
}

TEST_F(Checkpoint, DraftsOfAKilledWriterAreCleanedUp) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  fs::create_directories(place_.file.parent_path());
  std::ofstream(place_.file.string() + ".part123") << "half";
  StopAt steady;
  EXPECT_EQ(run(testing::tiny_spec("both", Sharing::joint, 1), inputs, steady).status,
            results::RunStatus::done);
  EXPECT_FALSE(fs::exists(place_.file.string() + ".part123"));
}

/// A disk that is full from one sign of life of the training to another: nothing can be written.
class FullDisk final : public Progress {
 public:
  FullDisk(fs::path file, std::int64_t begin, std::int64_t end)
      : file_(std::move(file)), begin_(begin), end_(end) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, SIG_IGN);  // write() fails then, as it does on a full disk
  }
  ~FullDisk() override { ::setrlimit(RLIMIT_FSIZE, &before_); }

  void begin(std::string_view phase, std::int64_t) override { now_ = phase; }
  void update(std::int64_t, std::string_view) override {
    if (now_ != "train") return;
    ++seen_;
    struct rlimit limit = before_;
    if (seen_ == begin_) {
      kept = text_of(file_);
      limit.rlim_cur = 512;
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    if (seen_ == end_) {
      kept_at_end = text_of(file_);
      ::setrlimit(RLIMIT_FSIZE, &before_);
    }
  }
  void note(std::string_view text) override { notes.emplace_back(text); }

  std::vector<std::string> notes;
  std::string kept, kept_at_end;

 private:
  static std::string text_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path file_;
  std::int64_t begin_, end_, seen_ = 0;
  std::string now_;
  struct rlimit before_{};
};

TEST_F(Checkpoint, AFullDiskIsANoteAndTheLastGoodOneStays) {
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts());
  const RunSpec spec = testing::tiny_spec("both", Sharing::joint, 3);
  const results::RunRecord whole = testing::run_well(spec, inputs);
  RunInfo info;
  info.identity.hash = "this run";
  info.checkpoint = place_;
  FullDisk disk(place_.file, 3, 7);
  const auto record = run_guarded(spec, info, [&] { return inputs; }, disk);
  ASSERT_EQ(record.status, results::RunStatus::done) << record.error;
  expect_same_bits(whole, record);
  EXPECT_FALSE(disk.kept.empty());
  EXPECT_EQ(disk.kept, disk.kept_at_end);
  EXPECT_THAT(disk.notes, ::testing::ElementsAre(HasSubstr("no checkpoint could be written"),
                                                 HasSubstr("written again")))
      << "one trouble, one note";
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(place_.file.parent_path()))
    ++files;
  EXPECT_EQ(files, 1U) << "drafts are cleaned up";
}

TEST_F(Checkpoint, AFolderThatCannotBeMadeIsANote) {
  std::ofstream(folder_ / "deep") << "a file where the folder should be";
  const RunInputs inputs = testing::tiny_inputs(testing::both_prompts(), &testing::by_gradients());
  StopAt steady;
  const auto record = run(testing::tiny_spec("both", Sharing::grouped_specific, 1), inputs, steady);
  EXPECT_EQ(record.status, results::RunStatus::done) << record.error;
  EXPECT_THAT(steady.notes, ::testing::ElementsAre(HasSubstr("no checkpoint could be written")));
}

}  // namespace
}  // namespace petlab::engine
