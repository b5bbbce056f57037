#include "record_columns.hpp"

#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>

#include <set>

namespace petlab::results {
namespace {

using Names = std::multiset<std::string>;

class RecordColumnsTest : public testing::Test {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "runs.sqlite";
  RunStore store_{path_};
  SQLite::Database db_{path_.string(), SQLite::OPEN_READONLY};

  Names columns_of(const std::string& table) {
    Names names;
    SQLite::Statement row(db_, "SELECT name FROM pragma_table_info('" + table + "')");
    while (row.executeStep())
      names.insert(row.getColumn(0).getString());
    return names;
  }

  template <class Columns>
  void expect_all(const std::string& table, Names keys, const Columns& columns) {
    for (const auto& column : columns)
      keys.insert(column.name);
    EXPECT_EQ(keys, columns_of(table)) << table;
  }
};

TEST_F(RecordColumnsTest, AreAllColumnsOfTheirTables) {
  expect_all("runs", {"run_id", "identity", "attempts", "split_id"}, kRunColumns);
  expect_all("parameter_counts", {"run_id", "position"}, kParameterColumns);
  expect_all("phase_costs", {"run_id", "position"}, kCostColumns);
  expect_all("epochs", {"run_id", "position"}, kEpochColumns);
  expect_all("task_results", {"run_id", "task_id"}, kTaskResultColumns);
  expect_all("groupings", {"run_id"}, kGroupingColumns);
  expect_all("study_runs", {"study_id"}, kPlanColumns);
  expect_all("study_searches", {"study_id"}, kSearchColumns);
  expect_all("verifications", {"verification_id", "run_id"}, kVerificationColumns);
}

TEST(StoredColumn, WritesTheStatementsOfItsList) {
  EXPECT_EQ(column_names(kGroupingColumns), "strategy, seconds");
  EXPECT_EQ(column_names(kGroupingColumns, "g"), "g.strategy, g.seconds");
  EXPECT_EQ(insert_statement("groupings", "run_id", kGroupingColumns),
            "INSERT INTO groupings (run_id, strategy, seconds) VALUES (?, ?, ?)");
}

}  // namespace
}  // namespace petlab::results
