#include "petlab/results/query.hpp"

#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::results {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class QueryTest : public testing::Test {
 protected:
  QueryTest() {
    RunStore store(file_);
    store.register_split(sample::split(1));
    const sample::RunChoice coop;
    store.set_study(sample::study("demo", {{"coop", {coop}}}));
    store.record(sample::done_run(coop, sample::split(1)));
  }

  std::string refusal(const std::string& sql) const {
    try {
      (void)query_store(file_, sql);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::config) << sql;
      return error.what();
    }
    return "nothing was refused";
  }

  sample::TemporaryFolder folder_;
  std::filesystem::path file_ = folder_ / "runs.sqlite";
};

TEST_F(QueryTest, GivesColumnsAndValuesWithTheirTypes) {
  const QueryResult result = query_store(
      file_, "SELECT task, n_correct, accuracy, NULL AS empty, x'00ff' AS bytes FROM accuracy");
  EXPECT_THAT(result.columns, ElementsAre("task", "n_correct", "accuracy", "empty", "bytes"));
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_THAT(result.rows[0],
              ElementsAre(SqlValue("line"), SqlValue(std::int64_t{7}), SqlValue(0.7),
                          SqlValue(std::monostate{}), SqlValue(Blob{std::string("\0\xff", 2)})));
  EXPECT_EQ(query_store(file_,
                        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
                        "WHERE i < 5) SELECT SUM(i) FROM n; -- a comment\n ")
                .rows.at(0)
                .at(0),
            SqlValue(std::int64_t{15}));
  EXPECT_TRUE(query_store(file_, "SELECT * FROM failures").rows.empty());
}

TEST_F(QueryTest, RefusesWhateverDoesMoreThanRead) {
  const auto size = std::filesystem::file_size(file_);
  const std::filesystem::path other = folder_ / "other.sqlite";
  for (const std::string& sql :
       {std::string("DELETE FROM runs"), std::string("UPDATE runs SET seed = 2"),
        std::string("INSERT INTO studies (name, protocol) VALUES ('x', '')"),
        std::string("DROP TABLE runs"), std::string("CREATE TABLE t (a)"),
        std::string("CREATE TEMP TABLE t (a)"), "ATTACH '" + other.string() + "' AS other",
        "VACUUM INTO '" + other.string() + "'", std::string("PRAGMA query_only = OFF"),
        std::string("PRAGMA user_version"), std::string("BEGIN"),
        std::string("SELECT load_extension('x')")})
    EXPECT_THAT(refusal(sql), HasSubstr("the query")) << sql;
  EXPECT_FALSE(std::filesystem::exists(other));
  EXPECT_EQ(std::filesystem::file_size(file_), size);
  EXPECT_EQ(RunStore(file_, OpenMode::read_only).runs("demo").size(), 1U);
}

TEST_F(QueryTest, SaysWhatIsWrongWithTheText) {
  EXPECT_THAT(refusal("SELECT * FROM runz"), HasSubstr("no such table: runz"));
  EXPECT_THAT(refusal("SELEKT 1"), HasSubstr("syntax error"));
  EXPECT_THAT(refusal("  -- nothing\n;"), HasSubstr("is empty: expected one SELECT"));
  EXPECT_THAT(refusal("SELECT 1; SELECT 2"), HasSubstr("is more than one statement"));
  EXPECT_THAT(refusal(std::string("SELECT 1\0; DELETE", 17)), HasSubstr("holds a byte 0"));
}

TEST_F(QueryTest, NamesAFileThatIsNoStore) {
  EXPECT_THROW((void)query_store(folder_ / "none.sqlite", "SELECT 1"), base::Error);
}

}  // namespace
}  // namespace petlab::results
