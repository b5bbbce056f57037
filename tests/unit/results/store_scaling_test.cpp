#include "petlab/results/export.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

namespace petlab::results {
namespace {

using sample::RunChoice;

// Counts the steps that SQLite's virtual machine makes in all connections opened while it lives.
// Unlike time it is the same on every machine, and a table that is scanned shows in it.
class StepCounter {
 public:
  StepCounter() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(watch)); }
  ~StepCounter() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(watch)); }
  StepCounter(const StepCounter&) = delete;
  StepCounter& operator=(const StepCounter&) = delete;

  template <class Work>
  static std::int64_t of(Work&& work) {
    steps = 0;
    work();
    return steps;
  }

 private:
  static int watch(sqlite3* db, char**, const void*) {
    return sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, count, nullptr);
  }
  static int count(unsigned, void*, void* statement, void*) {
    steps += sqlite3_stmt_status(static_cast<sqlite3_stmt*>(statement), SQLITE_STMTSTATUS_VM_STEP,
                                 /*resetFlg=*/1);
    return 0;
  }
  static inline std::int64_t steps = 0;
};

struct Steps {
  std::int64_t has_done, claim, record, load;  // of one run
  std::int64_t study, runs, views;             // of all
};

RunChoice choice(int number) {
  return {.method = "method-" + std::to_string(number / 2),
          .sharing = "grouped",
          .grouping = "gradient",
          .seed = static_cast<std::uint64_t>(1 + number % 2)};
}

RunRecord run(int number) {
  return sample::done_run(choice(number),
                          sample::split(static_cast<std::uint64_t>(1 + number % 2)));
}

Steps steps_with(int runs) {
  const sample::TemporaryFolder folder;
  const std::filesystem::path path = folder / "runs.sqlite";
  RunStore store(path);
  store.register_split(sample::split(1));
  store.register_split(sample::split(2));
  std::vector<sample::Row> rows;
  for (int i = 0; i <= runs; i += 2)
    rows.push_back({choice(i).method, {choice(i), choice(i + 1)}});
  store.set_study(sample::study("demo", rows));
  for (int i = 0; i < runs - 1; ++i)
    store.record(run(i));
  const RunRecord last = run(runs - 1);
  const std::string& id = last.identity.hash;
  Steps steps{};
  steps.claim = StepCounter::of([&] { store.claim(id, "me", std::chrono::hours(1)); });
  steps.record = StepCounter::of([&] { store.record(last); });
  steps.has_done = StepCounter::of([&] { EXPECT_TRUE(store.has_done(id)); });
  steps.load = StepCounter::of([&] { EXPECT_TRUE(store.load(id).has_value()); });
  steps.study = StepCounter::of([&] { EXPECT_TRUE(store.study("demo").has_value()); });
  steps.runs = StepCounter::of([&] { EXPECT_FALSE(store.runs("demo").empty()); });
  steps.views = StepCounter::of([&] { export_views(path, folder / "csv"); });
  return steps;
}

TEST(StoreScaling, WorkGrowsWithTheRunsThatAreAskedForNotWithTheStore) {
  const StepCounter watched;
  const Steps few = steps_with(20);
  const Steps many = steps_with(200);
  EXPECT_GT(few.load, 100) << "nothing was counted";
  EXPECT_EQ(many.has_done, few.has_done);
  EXPECT_EQ(many.claim, few.claim);
  EXPECT_EQ(many.load, few.load);
  EXPECT_LE(many.record, few.record + few.record / 10);
  EXPECT_LE(many.study, 11 * few.study);
  EXPECT_LE(many.runs, 11 * few.runs);
  EXPECT_LE(many.views, 11 * few.views);
}

// All runs of a study that has ten, in a store where another study has more and more.
std::int64_t steps_of_visit(int others) {
  const sample::TemporaryFolder folder;
  RunStore store(folder / "runs.sqlite");
  for (const std::uint64_t seed : {1U, 2U})
    store.register_split(sample::split(seed));
  std::vector<sample::Row> mine;
  std::vector<sample::Row> theirs;
  for (int i = 0; i < 10 + others; i += 2)
    (i < 10 ? mine : theirs).push_back({choice(i).method, {choice(i), choice(i + 1)}});
  store.set_study(sample::study("mine", mine));
  store.set_study(sample::study("theirs", theirs));
  for (int i = 0; i < 10 + others; ++i)
    store.record(run(i));
  int visited = 0;
  const std::int64_t steps = StepCounter::of([&] {
    store.visit_runs("mine", LoadDetail::everything,
                     [&](const StudyRun&, auto record) { visited += record.has_value() ? 1 : 0; });
  });
  EXPECT_EQ(visited, 10);
  return steps;
}

TEST(StoreScaling, ReadingAStudyCostsNothingForTheRunsOfOtherStudies) {
  const StepCounter watched;
  const std::int64_t alone = steps_of_visit(0);
  EXPECT_GT(alone, 1000) << "nothing was counted";
  EXPECT_LE(steps_of_visit(190), alone + alone / 50);
}

std::int64_t file_bytes(const std::filesystem::path& path) {
  {
    SQLite::Database db(path.string(), SQLite::OPEN_READWRITE);
    SQLite::Statement(db, "PRAGMA wal_checkpoint(TRUNCATE)").executeStep();
  }
  return static_cast<std::int64_t>(std::filesystem::file_size(path));
}

TEST(StoreScaling, ARunWith14028TestImagesCostsLessThan100KilobytesOfTheFile) {
  constexpr int kRuns = 8;
  const sample::TemporaryFolder folder;
  const std::filesystem::path path = folder / "runs.sqlite";
  const SplitRecord split = sample::split(1, 7014);  // of each of two tasks
  {
    RunStore store(path);
    store.register_split(split);
  }
  const std::int64_t before = file_bytes(path);
  for (int i = 0; i < kRuns; ++i) {
    RunRecord record = sample::done_run(choice(2 * i), split);
    for (TaskResult& task : record.tasks) {  // no two alike, as of a real model
      for (std::size_t image = 0; image < task.predictions.size(); ++image)
        task.predictions[image].probability = static_cast<double>(image * 37 % 7013) / 7013.0;
    }
    RunStore(path).record(record);
  }
  const std::int64_t bytes_a_run = (file_bytes(path) - before) / kRuns;
  EXPECT_LT(bytes_a_run, 100'000);
  EXPECT_GE(bytes_a_run, 14'028 * 4) << "the predictions are not all there";
  RecordProperty("bytes_a_run", std::to_string(bytes_a_run));
}

}  // namespace
}  // namespace petlab::results
