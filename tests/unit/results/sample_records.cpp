#include "sample_records.hpp"

#include "petlab/base/sha256.hpp"
#include "petlab/results/identity.hpp"

#include <unistd.h>

#include <atomic>
#include <system_error>

namespace petlab::results::sample {

TemporaryFolder::TemporaryFolder() {
  static std::atomic<int> counter{0};
  path_ = std::filesystem::temp_directory_path() /
          ("petlab-test-" + std::to_string(getpid()) + "-" + std::to_string(counter++));
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

SplitRecord split(std::uint64_t seed, std::int64_t images) {
  SplitRecord record;
  record.dataset = {"icon-home", "1", base::sha256_hex("icon-home of " + std::to_string(images))};
  record.hash = base::sha256_hex("split " + std::to_string(seed) + "/" + std::to_string(images));
  record.name = "20%";
  record.fraction = 0.2;
  record.seed = seed;
  for (const char* name : {"line", "emoji"}) {
    TaskSplit task{name, {"bed", "fork", "kettle", "lamp"}, /*n_train=*/4, {}};
    for (std::int64_t i = 0; i < images; ++i) {
      task.test.push_back({std::string(name) + "/" + std::to_string(i), i % 4});
    }
    record.tasks.push_back(std::move(task));
  }
  return record;
}

RunIdentity identity_of(const RunChoice& choice, const SplitRecord& split) {
  return make_identity({{"method", choice.method},
                        {"sharing", choice.sharing},
                        {"grouping", choice.grouping},
                        {"seed", std::to_string(choice.seed)},
                        {"split", split.hash}});
}

RunRecord failed_run(const RunChoice& choice, const SplitRecord& split, const std::string& error) {
  RunRecord run;
  run.identity = identity_of(choice, split);
  run.method = choice.method;
  run.plugin = choice.method;
  run.plugin_version = "0.1.0";
  run.sharing = choice.sharing;
  run.grouping_strategy = choice.grouping;
  run.seed = choice.seed;
  run.options = {{"n_context", "4"}};
  run.protocol = {{"epochs", "2"}, {"batch", "16"}};
  run.backbone = "petlab-icon-clip";
  run.total_backbone_parameters = 100000;
  run.precision = "float32";
  run.split_hash = split.hash;
  run.status = RunStatus::failed;
  run.error_kind = "numeric";
  run.error = error;
  run.environment = {{environment::kDevice, "cpu"},          {environment::kCpu, "Test CPU"},
                     {environment::kThreads, "2"},           {environment::kPetlabVersion, "0.1.0"},
                     {environment::kTorchVersion, "2.13.0"}, {environment::kSources, "clean"}};
  run.started = "2026-01-31T12:00:00Z";
  run.finished = "2026-01-31T12:00:10Z";
  return run;
}

RunRecord done_run(const RunChoice& choice, const SplitRecord& split) {
  RunRecord run = failed_run(choice, split, "");
  run.status = RunStatus::done;
  run.error_kind.clear();
  run.parameters = {{"frozen", "backbone", 0, 400000}};
  if (choice.trainable > 0) {
    run.parameters.push_back({"shared", "", choice.trainable, 4 * choice.trainable});
  }
  run.costs = {{"setup", 0.5, 0, 1 << 20, {}, {}},
               {"train", choice.train_seconds, 16, 2 << 20, std::int64_t{1} << 33, 1.5e9},
               {"evaluate", 2.0, 20, 1 << 20, {}, {}}};
  run.epochs = {{0, 1.25, 0.002, choice.train_seconds / 2, "train"},
                {1, 0.75, 0.001, choice.train_seconds / 2, "train"}};
  for (std::size_t t = 0; t < split.tasks.size(); ++t) {
    const TaskSplit& task = split.tasks[t];
    TaskResult result{task.task,         task.n_train, static_cast<std::int64_t>(task.test.size()),
                      choice.correct[t], 0.5,          {}};
    for (std::int64_t i = 0; i < result.n_test; ++i) {
      const std::int64_t label = task.test[static_cast<std::size_t>(i)].label;
      const bool right = i < choice.correct[t];
      result.predictions.push_back({right ? label : (label + 1) % 4, right ? 0.9 : 0.4});
    }
    run.tasks.push_back(std::move(result));
  }
  if (!choice.grouping.empty()) {
    run.grouping = GroupingRecord{choice.grouping,
                                  {"line", "emoji"},
                                  {1.0, -0.25, -0.25, 1.0},
                                  {{"line"}, {"emoji"}},
                                  0.0,
                                  {{{{"line", "emoji"}}, -0.25}},
                                  1.5};
  }
  run.frozen_hash_before = base::sha256_hex("frozen");
  run.frozen_hash_after = run.frozen_hash_before;
  run.trained_hash = base::sha256_hex("trained " + run.identity.hash);
  run.test_evaluations = 1;
  run.determinism = "bit-equal";
  return run;
}

StudyRecord study(const std::string& name, const std::vector<Row>& rows) {
  StudyRecord record{name, "[study]\nname = " + name + "\n", {}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const RunChoice& choice : rows[i].runs) {
      record.plan.push_back({identity_of(choice, split(choice.seed)).hash,
                             static_cast<std::int64_t>(i), rows[i].label, choice.seed,
                             choice.method, choice.sharing, choice.grouping});
    }
  }
  return record;
}

}  // namespace petlab::results::sample
