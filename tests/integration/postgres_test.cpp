#include "petlab/results/adapter_files.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "postgres_server.hpp"
#include "program.hpp"
#include "sample_study.hpp"
#include "stored_results.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <thread>

// The whole program with a store on a PostgreSQL server. Two folders are two machines that share no
// files.
namespace petlab::tests {
namespace {

namespace fs = std::filesystem;
namespace sample = results::sample;
using results::OpenMode;
using results::RunStatus;
using results::RunStore;
using sample::PostgresServer;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = joint\noption.n-ctx = 4\n"
    "[row.vpt]\nmethod = vpt-deep\nsharing = per-task\n";
constexpr const char* kLongTraining = "epochs = 300\nbatch = 2";

class Postgres : public testing::Test {
 protected:
  void SetUp() override {
    if (!PostgresServer::is_installed()) GTEST_SKIP() << "needs a PostgreSQL server";
    uri_ = PostgresServer::shared().new_database();
  }

  [[nodiscard]] static Output petlab(const Workshop& machine,
                                     const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& environment = {}) {
    return run_petlab(arguments, machine.folder(), environment);
  }
  [[nodiscard]] std::vector<std::string> run(const std::string& study,
                                             const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return run_arguments(study, uri_, all);
  }

  std::string uri_;
};

TEST_F(Postgres, ServesEveryCommandAsAFileDoes) {
  const Workshop here;
  const std::string study = here.write_study(kRows);
  const Output planned = petlab(here, {"plan", study, "--store", uri_, "--cache-dir", "cache",
                                       "--set", "study.name=small", "--seeds", "1,2"});
  EXPECT_EQ(planned.exit_code, 0) << planned.err;
  EXPECT_THAT(planned.out, HasSubstr("missing"));
  EXPECT_FALSE(results::has_store(uri_)) << "a plan makes no store";

  const Output ran = petlab(here, run(study, {"--seeds", "1,2", "--workers", "2"}));
  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  const Output file =
      petlab(here, run_arguments(study, "a.sqlite", {"--seeds", "1,2", "--threads", "1"}));
  ASSERT_EQ(file.exit_code, 0) << file.err;
  EXPECT_EQ(stored_results(uri_), stored_results(here.folder() / "a.sqlite"));
  EXPECT_THAT(petlab(here, run(study, {"--seeds", "1,2"})).out, HasSubstr("0 to do"));

  const std::string identity = RunStore(uri_, OpenMode::read_only).runs("small").at(2).plan.hash;
  const fs::path beside = here.folder() / results::beside_store(uri_);
  EXPECT_TRUE(fs::exists(results::adapter_file(beside, identity)));
  EXPECT_TRUE(fs::exists(beside.parent_path() / "logs/small"));
  EXPECT_FALSE(fs::exists(here.folder() / "postgresql:")) << "the address is no path";

  const std::vector<std::vector<std::string>> commands = {
      {"report", "--store", uri_, "--out", "report"},
      {"compare", "coop", "vpt", "--store", uri_},
      {"query", "SELECT * FROM ranking", "--store", uri_},
      {"export", "--store", uri_, "--out", "csv"},
      {"describe", identity.substr(0, 12), "--store", uri_},
      {"evaluate", identity.substr(0, 12), "--store", uri_, "--cache-dir", "cache"},
      {"verify", identity.substr(0, 12), "--store", uri_, "--cache-dir", "cache"},
      {"clean", "--store", uri_},
      {"check", uri_},
      {"merge", "copy.sqlite", uri_},
      {"merge", uri_, "a.sqlite"}};
  for (const auto& arguments : commands) {
    const Output output = petlab(here, arguments);
    EXPECT_EQ(output.exit_code, 0) << arguments.front() << ": " << output.out << output.err;
  }
  EXPECT_THAT(text_of(here.folder() / "report/report.html"), HasSubstr("zero-shot"));
  EXPECT_EQ(stored_results(here.folder() / "copy.sqlite"), stored_results(uri_));
  EXPECT_TRUE(fs::exists(results::adapter_file(here.folder() / "copy.sqlite", identity)))
      << "a merge takes the adapters along";
}

TEST_F(Postgres, TwoMachinesThatShareNoFilesDoNoRunTwice) {
  const Workshop here, there;
  const std::vector<std::string> more = {"--seeds", "1-3", "--workers", "2", "--no-table"};
  Program one(run(here.write_study(kRows), more), here.folder());
  Program other(run(there.write_study(kRows), more), there.folder());
  const Output first = one.wait(), second = other.wait();
  EXPECT_EQ(first.exit_code, 0) << first.out << first.err;
  EXPECT_EQ(second.exit_code, 0) << second.out << second.err;
  EXPECT_EQ(count_of(first.out + second.out, "  accuracy "), 9U) << first.out << second.out;

  const RunStore store(uri_, OpenMode::read_only);
  ASSERT_EQ(store.runs("small").size(), 9U);
  EXPECT_THAT(store.leases(), IsEmpty());
  std::size_t kept = 0;
  for (const results::StudyRun& run : store.runs("small")) {
    EXPECT_EQ(run.status, RunStatus::done) << run.error;
    EXPECT_EQ(run.attempts, 1);
    // Adapters stay on the machine that trained them.
    std::size_t machines = 0;
    for (const Workshop* machine : {&here, &there}) {
      const fs::path beside = machine->folder() / results::beside_store(uri_);
      machines += fs::exists(results::adapter_file(beside, run.plan.hash)) ? 1U : 0U;
    }
    const bool has_adapters = run.plan.row_label != "zero-shot";
    EXPECT_EQ(machines, has_adapters ? 1U : machines) << run.plan.row_label;
    kept += machines;
  }
  EXPECT_GE(kept, 6U);
}

TEST_F(Postgres, AServerThatIsStartedAnewUnderAStudyIsWaitedFor) {
  auto& server = PostgresServer::shared();
  const Workshop here;
  const std::string study = here.write_study(kLongRow, kLongTraining);
  Program program(run(study, {"--seeds", "1,2", "--workers", "2"}), here.folder());
  ASSERT_GT(program.wait_for_child(/*seconds=*/0.5), 0);
  server.stop("immediate");
  std::this_thread::sleep_for(std::chrono::seconds(1));
  server.start();
  const Output output = program.wait();
  EXPECT_EQ(output.exit_code, 0) << output.out << output.err;
  const RunStore store(uri_, OpenMode::read_only);
  for (const results::StudyRun& run : store.runs("small")) {
    EXPECT_EQ(run.status, RunStatus::done) << run.error;
    EXPECT_EQ(run.attempts, 1);
  }
}

TEST_F(Postgres, OrdersAreCollectedIntoIt) {
  const Workshop here;
  const std::string study = here.write_study(kRows);
  const Output submitted =
      petlab(here, {"submit", study, "--store", uri_, "--orders-only", "--cache-dir", "cache",
                    "--set", "study.name=small", "--seeds", "1"});
  ASSERT_EQ(submitted.exit_code, 0) << submitted.out << submitted.err;
  const fs::path jobs = results::beside_store(uri_).string() + ".jobs/1";
  for (const char* index : {"0", "1", "2"}) {
    const Output worked = petlab(here, {"worker", jobs.string(), index});
    EXPECT_EQ(worked.exit_code, 0) << worked.err;
  }
  const Output collected = petlab(here, {"collect", "--store", uri_});
  EXPECT_EQ(collected.exit_code, 0) << collected.err;
  EXPECT_THAT(collected.out, HasSubstr("3 runs added"));
  for (const results::StudyRun& run : RunStore(uri_, OpenMode::read_only).runs("small"))
    EXPECT_EQ(run.status, RunStatus::done);
}

TEST_F(Postgres, APasswordStaysWhereItBelongs) {
  auto& server = PostgresServer::shared();
  const std::string database = results::database_of(uri_);
  PostgresServer::run(uri_, "CREATE ROLE keeper LOGIN PASSWORD 'S3cret'; ALTER DATABASE " +
                                database + " OWNER TO keeper");
  server.set_logins("local all keeper scram-sha-256");
  uri_ = server.uri(database, "keeper");
  const Workshop here;
  const std::string study = here.write_study(kLongRow, kLongTraining);

  // In the address it is refused before anything is done, wherever the address stands.
  std::string with_password = uri_;
  with_password.insert(with_password.find("@/"), ":S3cret");
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"run", study, "--store", with_password},
                                             {"plan", study, "--store", with_password},
                                             {"report", with_password},
                                             {"merge", "a.sqlite", with_password},
                                             {"check", with_password},
                                             {"run", study, "--stor", with_password}}) {
    const Output output = petlab(here, arguments);
    EXPECT_EQ(output.exit_code, 2) << output.err;
    EXPECT_THAT(output.out + output.err, Not(HasSubstr("S3cret")));
  }
  const Output variable = petlab(here, {"plan", study}, {"PETLAB_STORE=" + with_password});
  EXPECT_EQ(variable.exit_code, 2);
  EXPECT_THAT(variable.err,
              AllOf(HasSubstr("there is a password in it"), Not(HasSubstr("S3cret"))));

  const auto pgpass = [&](const std::string& word) {
    return std::vector<std::string>{"PGPASSWORD=" + word};
  };
  const Output wrong = petlab(here, run(study, {"--seeds", "1"}), pgpass("Wr0ng"));
  EXPECT_EQ(wrong.exit_code, 5);
  EXPECT_THAT(wrong.err,
              AllOf(HasSubstr("password authentication failed"), Not(HasSubstr("Wr0ng"))));

  // From PGPASSWORD it comes to the children by their environment, and stands nowhere else.
  Program program(run(study, {"--seeds", "1"}), here.folder(), pgpass("S3cret"));
  const pid_t child = program.wait_for_child(/*seconds=*/0.3);
  ASSERT_GT(child, 0);
  for (const pid_t process : {program.pid(), child})
    EXPECT_THAT(text_of("/proc/" + std::to_string(process) + "/cmdline"), Not(HasSubstr("S3cret")));
  const Output ran = program.wait();
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const Output report =
      petlab(here, {"report", "--store", uri_, "--out", "report"}, pgpass("S3cret"));
  ASSERT_EQ(report.exit_code, 0) << report.err;
  EXPECT_THAT(ran.out + ran.err + report.out + report.err, Not(HasSubstr("S3cret")));
  for (const auto& entry : fs::recursive_directory_iterator(here.folder())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(text_of(entry.path()).find("S3cret"), std::string::npos) << entry.path();
  }
  server.set_logins("");
}

TEST_F(Postgres, WhatIsWrongIsOneSentenceAndExitCode5) {
  const Workshop here;
  const std::string study = here.write_study(kRows);
  auto& server = PostgresServer::shared();
  const std::pair<std::string, const char*> cases[] = {
      {server.uri("nowhere"), "the server has no database 'nowhere'"},
      {"postgresql://localhost:1/petlab", "the server cannot be reached"},
      {server.uri("postgres", "stranger"), "does not let user 'stranger' in"}};
  for (const auto& [address, said] : cases)
    for (const char* command : {"run", "plan"}) {
      const Output output = petlab(here, {command, study, "--store", address});
      EXPECT_EQ(output.exit_code, 5) << output.err;
      EXPECT_THAT(output.err, HasSubstr(said));
      EXPECT_EQ(count_of(output.err, "\n"), 1U) << output.err;
    }
  const Output nameless = petlab(here, {"report", "postgresql://db"});
  EXPECT_EQ(nameless.exit_code, 2);
  EXPECT_THAT(nameless.err, HasSubstr("it names no database"));
}

}  // namespace
}  // namespace petlab::tests
