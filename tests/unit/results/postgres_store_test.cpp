#include "petlab/base/error.hpp"
#include "petlab/results/check.hpp"
#include "petlab/results/compact_copy.hpp"
#include "petlab/results/query.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "postgres_server.hpp"
#include "store_file.hpp"
#include "store_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <set>
#include <sstream>

// What is the server's own: its schema, who is let in, what is said when something is wrong.
namespace petlab::results {
namespace {

namespace fs = std::filesystem;
using sample::PostgresServer;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string one_line_refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const base::Error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one line";
    return error.what();
  }
  return "done";
}

class PostgresStore : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::is_installed()) GTEST_SKIP() << "needs a PostgreSQL server";
    uri_ = sample::new_store(sample::StoreKind::server, folder_);
  }

  void fill() const {
    RunStore store(uri_);
    store.register_split(split_);
    store.set_study(sample::study("demo", {{"coop", {run_}}}));
    store.record(sample::done_run(run_, split_));
  }
  [[nodiscard]] std::string opening(const fs::path& address,
                                    OpenMode mode = OpenMode::read_write) const {
    return one_line_refusal([&] { RunStore store(address, mode); });
  }

  sample::TemporaryFolder folder_;
  fs::path uri_;
  SplitRecord split_ = sample::split(1);
  sample::RunChoice run_ = {};
};

TEST_F(PostgresStore, HasTheTablesAndViewsOfAFile) {
  {
    RunStore store(uri_);
  }
  const fs::path file = folder_ / "runs.sqlite";
  {
    RunStore store(file);
  }
  const auto columns = [](const QueryResult& result) {
    std::set<std::string> lines;
    for (const auto& row : result.rows)
      lines.insert(std::get<std::string>(row.at(0)));
    return lines;
  };
  const auto there = columns(query_store(
      uri_,
      "SELECT table_name || '.' || column_name || ' ' || CASE "
      "WHEN table_name IN (SELECT viewname FROM pg_views WHERE schemaname = current_schema()) "
      "THEN 'VIEW' WHEN data_type = 'bigint' THEN 'INTEGER' WHEN data_type = 'bytea' THEN 'BLOB' "
      "WHEN data_type = 'double precision' THEN 'REAL' ELSE upper(data_type) END || "
      "CASE WHEN is_nullable = 'NO' THEN ' NOT NULL' ELSE '' END "
      "FROM information_schema.columns WHERE table_schema = current_schema() "
      "AND table_name NOT IN ('petlab_store', 'petlab_writers')"));
  std::istringstream lines(sample::change_store(
      file,
      "SELECT group_concat(m.name || '.' || c.name || ' ' || CASE WHEN m.type = 'view' THEN 'VIEW' "
      "ELSE c.type END || CASE WHEN m.type = 'table' AND (c.\"notnull\" OR c.pk) THEN ' NOT NULL' "
      "ELSE '' END, char(10)) FROM sqlite_master m JOIN pragma_table_info(m.name) c "
      "WHERE m.type IN ('table', 'view')"));
  std::set<std::string> here;
  for (std::string line; std::getline(lines, line);)
    here.insert(line);
  EXPECT_THAT(there, testing::ContainerEq(here));
}

TEST_F(PostgresStore, IsSoundAndSaysWhatSomebodyChanged) {
  fill();
  StoreCheck check = check_store(uri_);
  EXPECT_THAT(check.problems, IsEmpty());
  EXPECT_EQ(check.runs, 1);
  EXPECT_EQ(check.predictions, 20);
  sample::change_store(uri_,
                       "CREATE OR REPLACE VIEW groups AS SELECT s.name AS study, p.row_label AS "
                       "label, r.seed, ''::text COLLATE \"C\" AS strategy, 0::bigint AS "
                       "group_index, ''::text COLLATE \"C\" AS tasks, r.identity AS run "
                       "FROM study_runs p JOIN studies s USING (study_id) "
                       "JOIN runs r ON r.identity = p.identity;"
                       "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; "
                       "END'; CREATE TRIGGER helpful AFTER INSERT ON runs FOR EACH ROW "
                       "EXECUTE FUNCTION f();"
                       "DROP INDEX verifications_run;"
                       "UPDATE task_results SET n_correct = n_correct + 1 WHERE task_id = 1");
  check = check_store(uri_);
  EXPECT_THAT(check.problems, Contains(HasSubstr("view 'groups' is not the one that petlab made")));
  EXPECT_THAT(check.problems, Contains(HasSubstr("it has a trigger 'helpful'")));
  EXPECT_THAT(check.problems, Contains(HasSubstr("index 'verifications_run' is not there")));
  EXPECT_THAT(check.problems, Contains(HasSubstr("n_correct is 8, the predictions give 7")));
  EXPECT_EQ(check.problems.size(), 4U);
  EXPECT_EQ(sample::change_store(uri_,
                                 "SELECT count(*) FROM pg_namespace WHERE nspname = "
                                 "'petlab_check'"),
            "0")
      << "nothing is left behind";
}

TEST_F(PostgresStore, KeepsFinishedRunsAsAFileDoes) {
  fill();
  EXPECT_THROW(sample::change_store(uri_, "UPDATE runs SET seed = 2"), std::runtime_error);
  EXPECT_THROW(sample::change_store(uri_, "DELETE FROM runs"), std::runtime_error);
  EXPECT_EQ(sample::change_store(uri_, "SELECT seed FROM runs"), "1");
}

TEST_F(PostgresStore, TakesReasonsOfFailuresThatAreNoText) {
  RunStore store(uri_);
  store.register_split(split_);
  store.record(sample::failed_run(run_, split_, std::string("bad \xff\x1b[2J\0\nline", 15)));
  EXPECT_THAT(store.load(sample::identity_of(run_, split_).hash)->error,
              testing::StartsWith("bad \\xFF\\x1B[2J\\x00 line"));
  // What is no reason is part of what was computed: it is not changed, but refused.
  SplitRecord odd = sample::split(3);
  odd.tasks[0].test[0].sample_id = "caf\xe9.png";
  EXPECT_THAT(one_line_refusal([&] { store.register_split(odd); }),
              AllOf(HasSubstr("cannot store split"), HasSubstr("UTF8")));
  EXPECT_FALSE(store.split(odd.hash).has_value());
}

TEST_F(PostgresStore, ReadsWithSqlThatOnlyReads) {
  fill();
  const QueryResult result = query_store(
      uri_,
      "SELECT task, n_correct, accuracy, NULL AS empty, '\\x00ff'::bytea AS bytes FROM accuracy;");
  EXPECT_THAT(result.columns,
              testing::ElementsAre("task", "n_correct", "accuracy", "empty", "bytes"));
  ASSERT_EQ(result.rows.size(), 2U);
  EXPECT_THAT(result.rows[0], testing::ElementsAre(SqlValue("line"), SqlValue(std::int64_t{7}),
                                                   SqlValue(0.7), SqlValue(std::monostate{}),
                                                   SqlValue(Blob{std::string("\0\xff", 2)})));
  EXPECT_EQ(query_store(uri_, " -- all\n(SELECT SUM(n_test) FROM accuracy)").rows.at(0).at(0),
            SqlValue(std::int64_t{20}));
  for (const char* sql :
       {"DELETE FROM leases", "WITH x AS (DELETE FROM leases RETURNING 1) SELECT * FROM x",
        "SELECT 1; DELETE FROM leases", "CREATE TABLE t (a int)", "CREATE TEMP TABLE t (a int)",
        "SET default_transaction_read_only = off", "COMMIT", "COPY runs TO STDOUT", "", " ; ",
        "SELECT * FROM runz", "SELEKT 1", "SELECT * INTO t FROM runs", "DO 'BEGIN END'", "VACUUM",
        "SELECT nextval('splits_split_id_seq')"})
    EXPECT_THAT(one_line_refusal([&] { (void)query_store(uri_, sql); }), HasSubstr("the query "))
        << sql;
}

TEST_F(PostgresStore, SaysWhatADatabaseIsThatHoldsNoStore) {
  EXPECT_FALSE(has_store(uri_));
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::read_write})
    EXPECT_THAT(opening(uri_, mode), HasSubstr("the database is empty, not a petlab store"));
  sample::change_store(uri_, "CREATE TABLE theirs (a int)");
  EXPECT_THAT(opening(uri_, OpenMode::create),
              HasSubstr("its schema 'public' has tables of another program"));
  // A schema of its own in the same database will do.
  sample::change_store(uri_, "CREATE SCHEMA mine");
  const fs::path mine = uri_.string() + "&options=-csearch_path%3Dmine";
  EXPECT_EQ(opening(mine, OpenMode::create), "done");
  EXPECT_TRUE(has_store(mine));
  EXPECT_FALSE(has_store(uri_));
  EXPECT_THAT(check_store(mine).problems, IsEmpty());
  EXPECT_THAT(opening(uri_.string() + "&options=-csearch_path%3Dnone", OpenMode::create),
              HasSubstr("its search_path 'none' names no schema"));
  sample::change_store(uri_,
                       "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  EXPECT_THAT(opening(PostgresServer::shared().uri("latin"), OpenMode::create),
              HasSubstr("its encoding is LATIN1, expected UTF8"));
}

TEST_F(PostgresStore, BringsAnOlderSchemaUpToDateAndRefusesANewerOne) {
  // As the first petlab made it that knew servers.
  std::string script =
      "CREATE TABLE petlab_store (version BIGINT NOT NULL, id UUID NOT NULL);"
      "INSERT INTO petlab_store VALUES (5, gen_random_uuid());";
  sample::change_store(uri_, script + server_migration(5));
  EXPECT_THAT(opening(uri_, OpenMode::read_only),
              AllOf(HasSubstr("it has schema version 5, this petlab reads version " +
                              std::to_string(RunStore::schema_version())),
                    HasSubstr("a command that writes")));
  EXPECT_EQ(opening(uri_), "done");
  EXPECT_THAT(check_store(uri_).problems, IsEmpty());
  fill();
  EXPECT_EQ(RunStore(uri_, OpenMode::read_only).runs("demo").at(0).status, RunStatus::done);

  sample::change_store(uri_, "UPDATE petlab_store SET version = 1000");
  for (const OpenMode mode : {OpenMode::read_only, OpenMode::read_write, OpenMode::create})
    EXPECT_THAT(opening(uri_, mode), HasSubstr("it has schema version 1000, this petlab knows"));
  EXPECT_EQ(sample::change_store(uri_, "SELECT version FROM petlab_store"), "1000");
}

TEST_F(PostgresStore, SaysWhoIsNotLetInAndWhatIsNotThere) {
  auto& server = PostgresServer::shared();
  {
    RunStore store(uri_);
  }
  const std::string database = database_of(uri_);
  EXPECT_THAT(opening(server.uri("nowhere")), HasSubstr("the server has no database 'nowhere'"));
  EXPECT_THAT(opening(server.uri(database, "stranger")),
              AllOf(HasSubstr("does not let user 'stranger' in"), HasSubstr("does not exist")));
  EXPECT_THAT(opening("postgresql:///petlab?host=" + (folder_ / "no").string()),
              AllOf(HasSubstr("the server cannot be reached"), HasSubstr("No such file")));
  EXPECT_THAT(opening("postgresql://localhost:1/petlab"),
              AllOf(HasSubstr("the server cannot be reached"), HasSubstr("refused")));

  sample::change_store(uri_, "CREATE ROLE guest LOGIN PASSWORD 'S3cret'");
  server.set_logins("local all guest scram-sha-256");
  const fs::path guest = server.uri(database, "guest");
  ::unsetenv("PGPASSWORD");
  ::setenv("PGPASSFILE", (folder_ / "none").c_str(), 1);
  // The configuration is read a moment later.
  std::string said;
  for (int i = 0; i < 100 && !said.starts_with("results"); ++i) {
    ::usleep(20000);
    said = opening(guest, OpenMode::read_only);
    if (said.find("password") == std::string::npos) said.clear();
  }
  EXPECT_THAT(said, AllOf(HasSubstr("does not let user 'guest' in: it wants a password"),
                          HasSubstr("PGPASSWORD or ~/.pgpass")));
  ::setenv("PGPASSWORD", "Wr0ng", 1);
  EXPECT_THAT(opening(guest, OpenMode::read_only),
              AllOf(HasSubstr("does not let user 'guest' in: "),
                    HasSubstr("password authentication failed"), Not(HasSubstr("Wr0ng"))));
  ::setenv("PGPASSWORD", "S3cret", 1);
  // Let in, it has no rights.
  EXPECT_THAT(opening(guest, OpenMode::read_only), HasSubstr("permission denied"));
  sample::change_store(uri_, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest");
  EXPECT_EQ(opening(guest, OpenMode::read_only), "done");
  EXPECT_THAT(
      one_line_refusal([&] { RunStore(guest, OpenMode::read_write).register_split(split_); }),
      AllOf(HasSubstr("cannot store split"), HasSubstr("permission denied")));
  ::unsetenv("PGPASSWORD");
  ::unsetenv("PGPASSFILE");
  server.set_logins("");
}

TEST_F(PostgresStore, TellsHowLongAnotherHasBeenWriting) {
  RunStore store(uri_, OpenMode::create, std::chrono::milliseconds(1000));
  const sql::Database other = open_store(uri_, OpenMode::read_write);
  const sql::Transaction holds(other, sql::Access::write);
  EXPECT_THAT(one_line_refusal([&] { store.register_split(split_); }),
              HasSubstr("another process has been writing for 1 seconds"));
  EXPECT_TRUE(store.studies().empty()) << "who reads does not wait";
}

TEST_F(PostgresStore, LeasesGoByTheServersClock) {
  RunStore store(uri_);
  const std::string id = sample::identity_of(run_, split_).hash;
  ASSERT_EQ(store.claim(id, "a", std::chrono::hours(1)), Claim::taken);
  EXPECT_EQ(sample::change_store(uri_,
                                 "SELECT abs(extract(epoch FROM clock_timestamp()) * 1000 - taken) "
                                 "< 60000 AND expires - taken = 3600000 FROM leases"),
            "t");
  const std::string now = store.utc_in({});
  EXPECT_LT(now, store.utc_in(std::chrono::seconds(1)));
  EXPECT_EQ(now.substr(0, 13), sample::change_store(uri_,
                                                    "SELECT to_char(now() AT TIME ZONE 'UTC', "
                                                    "'YYYY-MM-DD\"T\"HH24')"));
}

TEST_F(PostgresStore, IsNotCopiedAsAFile) {
  {
    RunStore store(uri_);
  }
  EXPECT_THAT(one_line_refusal([&] { write_compact_copy(uri_, folder_ / "copy.sqlite"); }),
              HasSubstr("only the file of a store can be copied"));
}

}  // namespace
}  // namespace petlab::results
