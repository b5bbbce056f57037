#include "petlab/engine/rank_group.hpp"
#include "petlab/engine/rank_store.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/engine/stop_request.hpp"
#include "tiny_world.hpp"

#include <gtest/gtest.h>
#include <spawn.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

// Runs by several processes that exchange gradients by Gloo: this program, started anew for each.
namespace petlab::engine {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// Ends the process, as a lost node does, at a step.
class Death final : public Progress {
 public:
  explicit Death(std::int64_t step) : step_(step) {}
  void begin(std::string_view phase, std::int64_t) override { is_training_ = phase == "train"; }
  void update(std::int64_t done, std::string_view) override {
    if (is_training_ && done == step_) ::raise(SIGKILL);
  }
  void note(std::string_view) override {}

 private:
  std::int64_t step_;
  bool is_training_ = false;
};

/// All that must be the same, as text.
std::string outcome(const results::RunRecord& record) {
  std::ostringstream text;
  text << std::hexfloat << (record.status == results::RunStatus::done ? "done" : "failed ")
       << record.error << " " << record.trained_hash;
  for (const results::EpochRecord& epoch : record.epochs)
    text << " " << epoch.loss;
  for (const results::TaskResult& task : record.tasks) {
    text << " " << task.loss << " " << task.n_correct;
    for (const results::ImagePrediction& one : task.predictions)
      text << " " << one.predicted << ":" << one.probability;
  }
  std::int64_t images = 0;
  if (record.resumed == 0)
    for (const results::PhaseCost& cost : record.costs)
      images += cost.images;
  text << " " << images;
  return text.str();
}

// Not a test: what each of the processes does.
TEST(RankProcess, DISABLED_ComputesARun) {
  const RankPlace place{std::stoi(variable("RANK")), std::stoi(variable("WORLD_SIZE")), "127.0.0.1",
                        static_cast<std::uint16_t>(std::stoi(variable("MASTER_PORT"))), "run"};
  const bool is_full = variable("METHOD") == "copy";
  RunInputs inputs =
      testing::tiny_inputs(is_full ? testing::whole_copy() : testing::both_prompts());
  RunSpec spec = testing::tiny_spec(is_full ? "copy" : "both", Sharing::joint, /*epochs=*/5);
  spec.training.batch = 4;
  spec.training.slices = 4;
  spec.training.learning_rate = is_full ? 1e-3 : 0.05;
  spec.training.augmentation = Augmentation::crop_flip;
  RunInfo info;
  info.checkpoint = {variable("FOLDER") + "/checkpoint", 0.0, /*is_written=*/place.rank == 0};
  Death death(variable("DIES") == variable("RANK") ? 5 : 1'000'000);
  try {
    if (place.size > 1) inputs.ranks = join_ranks(place);
    const results::RunRecord record = run_guarded(spec, info, [&] { return inputs; }, death);
    std::ofstream(variable("FOLDER") + "/" + variable("RANK")) << outcome(record);
  } catch (const RunStopped&) {
    std::_Exit(75);
  }
}

class Ranks : public ::testing::Test {
 protected:
  Ranks() : folder_(fs::temp_directory_path() / ("petlab-ranks-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Ranks() override { fs::remove_all(folder_); }

  /// Starts the processes and returns how they ended, as the shell says it.
  std::vector<int> run(int size, const std::string& method, const std::string& dies = "") const {
    const auto store = RankStore::serve_locally();
    std::vector<pid_t> processes;
    for (int rank = 0; rank < size; ++rank) {
      std::vector<std::string> texts = {"RANK=" + std::to_string(rank),
                                        "WORLD_SIZE=" + std::to_string(size),
                                        "METHOD=" + method,
                                        "MASTER_PORT=" + std::to_string(store->port()),
                                        "FOLDER=" + folder_.string(),
                                        "DIES=" + dies,
                                        "PATH=" + variable("PATH"),
                                        "PETLAB_CPU=" + variable("PETLAB_CPU")};
      if (variable("PETLAB_CPU").empty()) texts.pop_back();
      std::vector<char*> environment;
      for (std::string& text : texts)
        environment.push_back(text.data());
      environment.push_back(nullptr);
      std::string program = "/proc/self/exe", filter = "--gtest_filter=RankProcess.*",
                  disabled = "--gtest_also_run_disabled_tests";
      char* arguments[] = {program.data(), filter.data(), disabled.data(), nullptr};
      pid_t process = 0;
      EXPECT_EQ(
          posix_spawn(&process, program.c_str(), nullptr, nullptr, arguments, environment.data()),
          0);
      processes.push_back(process);
    }
    std::vector<int> ends;
    for (const pid_t process : processes) {
      int status = 0;
      ::waitpid(process, &status, 0);
      ends.push_back(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
    }
    return ends;
  }

  /// What a rank said in the end.
  [[nodiscard]] std::string said(int rank) const {
    std::ifstream in(folder_ / std::to_string(rank));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  fs::path folder_;
};

TEST_F(Ranks, ChangeNoBitOfARun) {
  for (const std::string method : {"prompts", "copy"}) {
    ASSERT_EQ(run(1, method), std::vector<int>{0});
    const std::string alone = said(0);
    EXPECT_EQ(alone.substr(0, 5), "done ") << alone;
    fs::remove(folder_ / "checkpoint");
    for (const int size : {2, 4}) {
      ASSERT_EQ(run(size, method), std::vector<int>(static_cast<std::size_t>(size), 0));
      for (int rank = 0; rank < size; ++rank)
        EXPECT_EQ(said(rank), alone) << method << ", rank " << rank << " of " << size;
      fs::remove(folder_ / "checkpoint");
    }
  }
}

TEST_F(Ranks, ALostOneEndsTheOthersAndAnotherNumberGoesOn) {
  ASSERT_EQ(run(1, "prompts"), std::vector<int>{0});
  const std::string whole = said(0);
  fs::remove(folder_ / "checkpoint");
  for (const std::string victim : {"0", "1"}) {
    const auto begin = Clock::now();
    const std::vector<int> ends = run(2, "prompts", victim);
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(30));  // with two starts of LibTorch
    EXPECT_EQ(ends, (victim == "0" ? std::vector<int>{137, 75} : std::vector<int>{75, 137}));
    ASSERT_TRUE(fs::exists(folder_ / "checkpoint"));
    const int size = victim == "0" ? 4 : 1;
    EXPECT_EQ(run(size, "prompts"), std::vector<int>(static_cast<std::size_t>(size), 0));
    // All but the last number, the images of the processes that were there.
    const auto result = [](const std::string& text) { return text.substr(0, text.rfind(' ')); };
    EXPECT_EQ(result(said(0)), result(whole)) << "rank " << victim << " died";
    fs::remove(folder_ / "checkpoint");
  }
}

TEST(RankStore, KeepsTextsForThoseWhoAsk) {
  const auto store = RankStore::serve_locally();
  const auto other = RankStore::open(store->address(), store->port(), /*is_server=*/false);
  EXPECT_FALSE(other->get("order", std::chrono::milliseconds(30)).has_value());
  store->set("order", "a text\nof lines");
  EXPECT_EQ(other->get("order", std::chrono::milliseconds(0)), "a text\nof lines");
}

}  // namespace
}  // namespace petlab::engine
