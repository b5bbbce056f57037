#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace petlab::results {
namespace {

// Every view with its columns and rows, as anyone sees it who opens the file with another tool.
std::string print_views(const std::filesystem::path& path) {
  std::ostringstream text;
  SQLite::Database db(path.string(), SQLite::OPEN_READONLY);
  SQLite::Statement views(db, "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name");
  while (views.executeStep()) {
    const std::string view = views.getColumn(0).getString();
    text << "== " << view << "\n";
    SQLite::Statement rows(db, "SELECT * FROM " + view);
    for (int i = 0; i < rows.getColumnCount(); ++i) {
      text << (i == 0 ? "" : " | ") << rows.getColumnName(i);
    }
    text << "\n";
    while (rows.executeStep()) {
      for (int i = 0; i < rows.getColumnCount(); ++i) {
        const SQLite::Column value = rows.getColumn(i);
        const std::string shown = value.isNull() ? "NULL" : value.getString();
        text << (i == 0 ? "" : " | ") << (shown.size() == 64 ? shown.substr(0, 8) : shown);
      }
      text << "\n";
    }
  }
  return text.str();
}

TEST(GoldenViews, ReadAsInTheGoldenFile) {
  sample::TemporaryFolder folder;
  const std::filesystem::path path = folder / "runs.sqlite";
  const std::vector<sample::Row> rows = {
      {"zero-shot",
       {{.method = "zero-shot", .seed = 1, .trainable = 0, .correct = {5, 3}},
        {.method = "zero-shot", .seed = 2, .trainable = 0, .correct = {5, 4}}}},
      {"mmap-grouped",
       {{.method = "mmap", .sharing = "grouped", .grouping = "gradient", .correct = {8, 6}},
        {.method = "mmap", .sharing = "grouped", .grouping = "gradient", .seed = 2}}}};
  {
    RunStore store(path);
    for (const std::uint64_t seed : {1U, 2U})
      store.register_split(sample::split(seed));
    StudyRecord study = sample::study("demo", rows);
    study.searches = {{.row_index = 1,
                       .strategy = "random",
                       .trials = 8,
                       .trial_runs = 16,
                       .study = "demo-search",
                       .chosen = {{"learning-rate", "0.02"}, {"epochs", "20"}},
                       .edges = {{"epochs", "lowest"}},
                       .validation_accuracy = 0.75,
                       .images = {{"line", 40}, {"emoji", 30}},
                       .standard_error = 0.0625}};
    store.set_study(study);
    for (const auto& run : rows[0].runs) {
      store.record(sample::done_run(run, sample::split(run.seed)));
    }
    RunRecord counted = sample::done_run(rows[1].runs[0], sample::split(1));
    counted.resumed = 2;
    counted.step_flops = 2.5e9;
    counted.image_flops = 1.25e8;
    store.record(counted);
    store.record(sample::failed_run(rows[1].runs[1], sample::split(2), "out of memory"));
  }
  const std::string got = print_views(path);
  const std::filesystem::path golden = PETLAB_SOURCE_DIR "/tests/golden/views.txt";
  if (std::getenv("PETLAB_UPDATE_GOLDEN") != nullptr) std::ofstream(golden) << got;
  std::ifstream file(golden);
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(got, expected) << "run with PETLAB_UPDATE_GOLDEN=1 if the change is meant";
}

}  // namespace
}  // namespace petlab::results
