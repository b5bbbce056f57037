#include "petlab/results/query.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "postgres_server.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace petlab::results {
namespace {

// A value as SQLite's own tool shows it.
std::string shown(const SqlValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return "NULL";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.15g", *number);
    const bool is_whole = std::string(text.data()).find_first_of(".e") == std::string::npos;
    return text.data() + std::string(is_whole ? ".0" : "");
  }
  const auto& text = std::get<std::string>(value);
  return text.size() == 64 ? text.substr(0, 8) : text;
}

// Every view with its columns and rows, as anyone sees it who opens the store with another tool.
std::string print_views(const std::filesystem::path& path) {
  std::ostringstream text;
  const QueryResult views = query_store(
      path, is_on_server(path)
                ? "SELECT viewname FROM pg_views WHERE schemaname = current_schema() ORDER BY 1"
                : "SELECT name FROM sqlite_master WHERE type = 'view' ORDER BY name");
  for (const auto& view : views.rows) {
    const auto& name = std::get<std::string>(view.at(0));
    text << "== " << name << "\n";
    const QueryResult rows = query_store(path, "SELECT * FROM " + name);
    for (std::size_t i = 0; i < rows.columns.size(); ++i)
      text << (i == 0 ? "" : " | ") << rows.columns[i];
    text << "\n";
    for (const auto& row : rows.rows) {
      for (std::size_t i = 0; i < row.size(); ++i)
        text << (i == 0 ? "" : " | ") << shown(row[i]);
      text << "\n";
    }
  }
  return text.str();
}

class GoldenViews : public testing::TestWithParam<sample::StoreKind> {};

TEST_P(GoldenViews, ReadAsInTheGoldenFile) {
  sample::TemporaryFolder folder;
  const std::filesystem::path path = sample::new_store(GetParam(), folder);
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

PETLAB_ON_EVERY_KIND_OF_STORE(GoldenViews);

}  // namespace
}  // namespace petlab::results
