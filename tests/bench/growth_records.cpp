#include "growth_records.hpp"

#include "petlab/base/sha256.hpp"
#include "petlab/results/identity.hpp"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cmath>

namespace petlab::bench {
namespace {

using namespace results;

constexpr int kSeeds = 10;
constexpr int kClasses = 65;
constexpr int kEpochs = 20;
constexpr const char* kTasks[] = {"art", "clipart", "product", "real world"};

struct Place {
  int row;
  std::uint64_t seed;
};

Place place_of(int number) {
  return {number / kSeeds, static_cast<std::uint64_t>(1 + number % kSeeds)};
}

std::string method_of(int row) {
  return row == 0 ? "zero-shot" : "method-" + std::to_string(row % 20);
}

bool is_grouped(int row) {
  return row > 0 && row % 4 == 0;
}

std::string split_hash(std::uint64_t seed, std::int64_t images) {
  return base::sha256_hex("split " + std::to_string(seed) + "/" + std::to_string(images));
}

RunIdentity identity_of(int number, std::int64_t images) {
  const auto [row, seed] = place_of(number);
  return make_identity({{"method", method_of(row)},
                        {"row", std::to_string(row)},
                        {"seed", std::to_string(seed)},
                        {"split", split_hash(seed, images)}});
}

// Numbers that look measured and are the same on every machine.
double shaken(int number, int salt) {
  const double x = std::sin(12.9898 * number + 78.233 * salt) * 43758.5453;
  return x - std::floor(x);
}

TaskResult task_result(int number, int task, std::int64_t images) {
  const int row = place_of(number).row;
  const double accuracy = 0.55 + 0.3 * shaken(row, task) + 0.02 * shaken(number, task);
  TaskResult result{kTasks[task], kClasses, images, 0, 0.7, {}};
  for (std::int64_t i = 0; i < images; ++i) {
    const bool right = shaken(number, static_cast<int>(i) + 1000 * task) < accuracy;
    const std::int64_t label = i % kClasses;
    result.n_correct += right ? 1 : 0;
    result.predictions.push_back({right ? label : (label + 1) % kClasses, right ? 0.9 : 0.4});
  }
  return result;
}

GroupingRecord grouping(int number) {
  GroupingRecord record;
  record.strategy = "gradient";
  record.tasks.assign(std::begin(kTasks), std::end(kTasks));
  for (int i = 0; i < 16; ++i)
    record.affinity.push_back(i % 5 == 0 ? 1.0 : shaken(number, i) - 0.5);
  record.partition = {{kTasks[0], kTasks[3]}, {kTasks[1], kTasks[2]}};
  record.score = 0.25;
  record.runners_up = {{{{kTasks[0]}, {kTasks[1], kTasks[2], kTasks[3]}}, 0.125}};
  record.seconds = 1.5;
  return record;
}

}  // namespace

SplitRecord growth_split(std::uint64_t seed, std::int64_t images) {
  SplitRecord record;
  record.dataset = {"growth", "1", base::sha256_hex("growth of " + std::to_string(images))};
  record.hash = split_hash(seed, images);
  record.name = "20%";
  record.fraction = 0.2;
  record.seed = seed;
  std::vector<std::string> classes;
  for (int c = 0; c < kClasses; ++c)
    classes.push_back("class " + std::to_string(c));
  for (const char* name : kTasks) {
    TaskSplit task{name, classes, /*n_train=*/kClasses, {}};
    for (std::int64_t i = 0; i < images; ++i)
      task.test.push_back({std::string(name) + "/" + std::to_string(i), i % kClasses});
    record.tasks.push_back(std::move(task));
  }
  return record;
}

StudyRecord growth_study(int runs, std::int64_t images) {
  StudyRecord study{.name = "growth", .protocol = "[study]\nname = growth\n", .plan = {}};
  for (int i = 0; i < runs; ++i) {
    const auto [row, seed] = place_of(i);
    study.plan.push_back({identity_of(i, images).hash, row, "row-" + std::to_string(row), seed,
                          method_of(row), is_grouped(row) ? "grouped" : "joint",
                          is_grouped(row) ? "gradient" : ""});
  }
  return study;
}

RunRecord growth_run(int number, std::int64_t images) {
  const auto [row, seed] = place_of(number);
  RunRecord run;
  run.identity = identity_of(number, images);
  run.method = method_of(row);
  run.plugin = run.method;
  run.plugin_version = "0.1.0";
  run.sharing = is_grouped(row) ? "grouped" : "joint";
  run.grouping_strategy = is_grouped(row) ? "gradient" : "";
  run.seed = seed;
  for (int i = 0; i < 8; ++i)
    run.options.emplace_back("option-" + std::to_string(i), std::to_string(row % 7));
  for (int i = 0; i < 12; ++i)
    run.protocol.emplace_back("setting-" + std::to_string(i), "value");
  run.backbone = "petlab-icon-clip";
  run.total_backbone_parameters = 5'000'000;
  run.precision = "float32";
  run.split_hash = split_hash(seed, images);
  run.parameters = {{"frozen", "backbone", 0, 20'000'000},
                    {"shared", "", row == 0 ? 0 : 512 * (1 + row % 50), 2048 * (1 + row % 50)}};
  run.costs = {{"setup", 0.5, 0, 1 << 28, {}, {}},
               {"train", 10.0 + shaken(number, 1), 5200, 1 << 29, {}, 1.5e12},
               {"evaluate", 2.0, 4 * images, 1 << 28, {}, {}}};
  for (int e = 0; row > 0 && e < kEpochs; ++e)
    run.epochs.push_back(
        {e, 2.0 / (1 + e) + 0.1 * shaken(number, e), 0.002, 0.5, "train", 16, 260});
  for (int t = 0; t < 4; ++t)
    run.tasks.push_back(task_result(number, t, images));
  if (is_grouped(row)) run.grouping = grouping(number);
  run.environment = {{environment::kDevice, "cpu"},          {environment::kCpu, "Test CPU"},
                     {environment::kThreads, "2"},           {environment::kPetlabVersion, "0.1.0"},
                     {environment::kTorchVersion, "2.13.0"}, {environment::kSources, "clean"}};
  run.started = "2026-01-31T12:00:00Z";
  run.finished = "2026-01-31T12:00:13Z";
  run.frozen_hash_before = base::sha256_hex("frozen");
  run.frozen_hash_after = run.frozen_hash_before;
  run.trained_hash = base::sha256_hex("trained " + run.identity.hash);
  run.test_evaluations = 1;
  run.determinism = "bit-equal";
  run.step_flops = 2e9 + row;
  run.image_flops = 1e8;
  return run;
}

void copy_runs(const std::filesystem::path& store, const StudyRecord& study, int recorded) {
  SQLite::Database db(store.string(), SQLite::OPEN_READWRITE);
  SQLite::Transaction transaction(db);
  db.exec("CREATE TEMP TABLE planned (number INTEGER PRIMARY KEY, identity TEXT, copied INTEGER)");
  SQLite::Statement plan(db, "INSERT INTO planned VALUES (?, ?, ?)");
  const int all = static_cast<int>(study.plan.size());
  for (int i = recorded; i < all; ++i) {
    plan.bind(1, i + 1);
    plan.bind(2, study.plan[static_cast<std::size_t>(i)].hash);
    plan.bind(3, i % recorded + 1);  // the same seed: `recorded` is a multiple of the seeds
    plan.exec();
    plan.reset();
  }
  for (const char* table : {"runs", "run_values", "parameter_counts", "phase_costs", "epochs",
                            "task_results", "predictions", "groupings", "grouping_tasks",
                            "grouping_affinity", "grouping_partitions", "grouping_members"}) {
    std::string values;
    SQLite::Statement column(db, "SELECT name FROM pragma_table_info(?) ORDER BY cid");
    column.bind(1, table);
    while (column.executeStep()) {
      const std::string name = column.getColumn(0).getString();
      values += values.empty() ? "" : ", ";
      values += name == "run_id" ? "p.number" : name == "identity" ? "p.identity" : "t." + name;
    }
    db.exec("INSERT INTO " + std::string(table) + " SELECT " + values + " FROM planned p JOIN " +
            table + " t ON t.run_id = p.copied");
  }
  transaction.commit();
}

}  // namespace petlab::bench
