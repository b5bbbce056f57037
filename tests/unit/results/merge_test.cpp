#include "petlab/results/merge.hpp"

#include "old_store.hpp"
#include "petlab/base/error.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "postgres_server.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

namespace petlab::results {
namespace {

using sample::RunChoice;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Every row of every table.
std::string dump(const std::filesystem::path& path) {
  if (is_on_server(path))
    return sample::change_store(
        path,
        "SELECT string_agg(tablename || ': ' || query_to_xml('SELECT * FROM ' || tablename || "
        "' AS x ORDER BY x::text', true, false, '')::text, '') FROM pg_tables "
        "WHERE schemaname = current_schema()");
  SQLite::Database db(path.string(), SQLite::OPEN_READONLY);
  std::string text;
  SQLite::Statement table(db,
                          "SELECT m.name, GROUP_CONCAT('quote(\"' || c.name || '\")', '||'',''||') "
                          "FROM sqlite_master m JOIN pragma_table_info(m.name) c "
                          "WHERE m.type = 'table' GROUP BY m.name ORDER BY m.name");
  while (table.executeStep()) {
    const std::string name = table.getColumn(0).getString();
    SQLite::Statement row(
        db, "SELECT " + table.getColumn(1).getString() + " FROM " + name + " ORDER BY 1");
    while (row.executeStep())
      text += name + ": " + row.getColumn(0).getString() + "\n";
  }
  return text;
}

// Which kinds of stores are merged: INTO and FROM.
using Kinds = std::pair<sample::StoreKind, sample::StoreKind>;

class MergeTest : public testing::TestWithParam<Kinds> {
 protected:
  sample::TemporaryFolder folder_;
  std::filesystem::path a_ = sample::new_store(GetParam().first, folder_, "a.sqlite");
  std::filesystem::path b_ = sample::new_store(GetParam().second, folder_, "b.sqlite");
  std::filesystem::path c_ = sample::new_store(GetParam().second, folder_, "c.sqlite");

  const RunChoice coop1_{.method = "coop", .seed = 1};
  const RunChoice coop2_{.method = "coop", .seed = 2};
  const RunChoice mmap1_{
      .method = "mmap", .sharing = "grouped", .grouping = "gradient", .correct = {8, 6}};
  const std::vector<sample::Row> rows_ = {{"coop", {coop1_, coop2_}}, {"mmap", {mmap1_}}};

  static RunRecord done(const RunChoice& choice) {
    return sample::done_run(choice, sample::split(choice.seed));
  }
  static RunRecord failed(const RunChoice& choice, const std::string& error) {
    return sample::failed_run(choice, sample::split(choice.seed), error);
  }

  void make(const std::filesystem::path& path, const std::vector<RunRecord>& runs,
            const std::vector<std::uint64_t>& splits = {1, 2}) const {
    RunStore store(path);
    for (const std::uint64_t seed : splits)
      store.register_split(sample::split(seed));
    store.set_study(sample::study("demo", rows_));
    for (const RunRecord& run : runs)
      store.record(run);
  }

  static void set_study(const std::filesystem::path& path, const StudyRecord& study) {
    RunStore(path).set_study(study);
  }

  std::string refusal(const MergeOptions& options = {}) const {
    try {
      merge_stores(a_, {b_}, options);
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::store);
      return error.what();
    }
    return "merged";
  }
};

TEST_P(MergeTest, JoinsTheRunsOfSeveralMachinesInANewFile) {
  make(b_, {done(coop1_)}, {1});
  make(c_, {done(coop2_), done(mmap1_)});
  const std::string before = dump(b_) + dump(c_);
  const MergeReport report = merge_stores(a_, {b_, c_});
  EXPECT_EQ(report.runs_added, 3);
  EXPECT_EQ(report.splits_added, 2);
  EXPECT_EQ(report.studies_added, 1);
  EXPECT_EQ(report.runs_kept, 0);
  EXPECT_THAT(report.differences, IsEmpty());

  const RunStore store(a_, OpenMode::read_only);
  for (const StudyRun& run : store.runs("demo"))
    EXPECT_EQ(run.status, RunStatus::done);
  const RunRecord wanted = done(mmap1_);
  const RunRecord got = store.load(wanted.identity.hash).value();
  EXPECT_EQ(got.trained_hash, wanted.trained_hash);
  EXPECT_EQ(got.grouping->affinity, wanted.grouping->affinity);
  EXPECT_EQ(got.tasks[1].n_correct, 6);
  EXPECT_EQ(got.tasks[1].predictions[9].predicted, wanted.tasks[1].predictions[9].predicted);
  EXPECT_EQ(dump(b_) + dump(c_), before) << "the files that are merged are only read";
}

TEST_P(MergeTest, ChangesNothingTheSecondTime) {
  make(a_, {done(coop1_), failed(mmap1_, "out of memory")});
  make(b_, {done(coop2_), failed(coop1_, "it broke"), done(mmap1_)});
  StudyRecord searched = sample::study("searched", {{"coop", {coop1_}}});
  searched.searches = {{.row_index = 0,
                        .strategy = "grid",
                        .trials = 4,
                        .study = "searched-trials",
                        .chosen = {{"learning-rate", "0.02"}}}};
  set_study(b_, searched);
  const MergeReport first = merge_stores(a_, {b_});
  EXPECT_EQ(first.runs_added, 1);
  EXPECT_EQ(first.runs_replaced, 1);
  EXPECT_EQ(first.runs_kept, 1);
  EXPECT_EQ(first.studies_added, 1);
  const std::string once = dump(a_);
  EXPECT_THAT(once, HasSubstr("learning-rate"));
  const MergeReport second = merge_stores(a_, {b_, b_});
  EXPECT_EQ(dump(a_), once);
  EXPECT_EQ(second.runs_added + second.runs_replaced + second.studies_added + second.splits_added,
            0);
  EXPECT_EQ(second.runs_kept, 6);
  EXPECT_THAT(second.differences, IsEmpty());
}

TEST_P(MergeTest, LetsAFinishedRunWinOverAFailedOneInBothDirections) {
  make(a_, {failed(coop1_, "it broke"), failed(coop1_, "it broke again"), done(coop2_)});
  make(b_, {done(coop1_), failed(coop2_, "it broke")});
  {
    RunStore store(a_);
    EXPECT_EQ(store.claim(done(coop1_).identity.hash, "me", std::chrono::hours(1)), Claim::taken);
  }
  EXPECT_EQ(merge_stores(a_, {b_}).runs_replaced, 1);
  const RunStore store(a_, OpenMode::read_only);
  EXPECT_EQ(store.runs("demo")[0].status, RunStatus::done);
  EXPECT_EQ(store.runs("demo")[1].status, RunStatus::done);
  EXPECT_TRUE(store.leases().empty()) << "nobody needs to do it any more";
}

TEST_P(MergeTest, OfTwoFailedRunsKeepsTheOneWithMoreAttemptsThenTheLater) {
  RunRecord late = failed(coop2_, "later");
  late.finished = "2026-01-31T13:00:00Z";
  make(a_, {failed(coop1_, "first"), failed(coop2_, "earlier"), failed(mmap1_, "same")});
  make(b_, {failed(coop1_, "x"), failed(coop1_, "second"), late, failed(mmap1_, "same")});
  const MergeReport report = merge_stores(a_, {b_});
  EXPECT_EQ(report.runs_replaced, 2);
  EXPECT_EQ(report.runs_kept, 1);
  const RunStore store(a_, OpenMode::read_only);
  EXPECT_EQ(store.runs("demo")[0].error, "second");
  EXPECT_EQ(store.runs("demo")[0].attempts, 2);
  EXPECT_EQ(store.runs("demo")[1].error, "later");
}

TEST_P(MergeTest, KeepsTheFirstOfTwoFinishedRunsAndSaysHowTheOtherDiffers) {
  RunRecord other_weights = done(coop1_);
  other_weights.trained_hash = std::string(64, 'f');
  RunRecord other_classes = done(coop2_);
  // Image 0 was right and becomes wrong, image 8 of the same class the other way round.
  std::swap(other_classes.tasks[0].predictions[0], other_classes.tasks[0].predictions[8]);
  RunRecord other_probability = done(mmap1_);
  other_probability.tasks[1].predictions[3].probability = 0.5;
  RunRecord other_cost = done(mmap1_);
  other_cost.costs[1].seconds = 99.0;
  other_cost.environment[1].second = "Another CPU";

  make(a_, {done(coop1_), done(coop2_), done(mmap1_)});
  make(b_, {other_weights, other_classes, other_probability});
  make(c_, {other_cost});
  const std::string before = dump(a_);
  const MergeReport report = merge_stores(a_, {b_, c_});
  EXPECT_EQ(dump(a_), before);
  EXPECT_EQ(report.runs_kept, 1) << "another machine needs other time for the same result";
  EXPECT_THAT(
      report.differences,
      ElementsAre(
          AllOf(
              HasSubstr("('coop', joint, seed 1) has other weights and the same predicted classes "
                        "in '" +
                        b_.string()),
              HasSubstr("that of '" + a_.string() + "' stays")),
          HasSubstr("the same weights and another predicted class for 2 of 20 test images"),
          HasSubstr("the same weights, other losses or probabilities and the same predicted "
                    "classes")));
}

TEST_P(MergeTest, TakesTheRepeatsOfRunsThatAreEqual) {
  const auto repeat = [](const RunChoice& choice, const std::string& time) {
    return VerificationRecord{.identity = done(choice).identity.hash,
                              .time = time,
                              .level = "bit-equal",
                              .trained_hash = done(choice).trained_hash,
                              .predictions = 20,
                              .changed_predictions = 0,
                              .environment = {{"cpu", "Test CPU"}}};
  };
  RunRecord other_weights = done(coop2_);
  other_weights.trained_hash = std::string(64, 'f');
  make(a_, {done(coop1_), done(coop2_)});
  make(b_, {done(coop1_), other_weights, done(mmap1_)});
  RunStore(a_).add_verification(repeat(coop1_, "2026-02-01T12:00:00Z"));
  {
    RunStore store(b_);
    store.add_verification(repeat(coop1_, "2026-02-01T12:00:00Z"));
    store.add_verification(repeat(coop1_, "2026-02-02T12:00:00Z"));
    store.add_verification(repeat(coop2_, "2026-02-02T12:00:00Z"));
    store.add_verification(repeat(mmap1_, "2026-02-02T12:00:00Z"));
  }
  merge_stores(a_, {b_});
  const std::string once = dump(a_);
  merge_stores(a_, {b_});
  EXPECT_EQ(dump(a_), once);
  const RunStore store(a_, OpenMode::read_only);
  ASSERT_EQ(store.verifications(done(coop1_).identity.hash).size(), 2U);
  EXPECT_EQ(store.verifications(done(coop1_).identity.hash)[1].time, "2026-02-02T12:00:00Z");
  EXPECT_EQ(store.verifications(done(coop2_).identity.hash).size(), 0U) << "of another result";
  EXPECT_EQ(store.verifications(done(mmap1_).identity.hash).size(), 1U);
}

TEST_P(MergeTest, RefusesAnotherPlanUnderTheSameNameUnlessItMayRename) {
  if (is_on_server(b_)) GTEST_SKIP() << "the names that are expected here are those of a file";
  make(a_, {done(coop1_)});
  make(b_, {done(coop2_)});
  StudyRecord other = sample::study("demo", {{"coop", {coop1_}}, {"mmap", {mmap1_}}});
  other.protocol += "[train]\nepochs = 7\n";
  other.searches = {
      {.row_index = 0, .strategy = "grid", .trials = 4, .study = "trials", .chosen = {}}};
  set_study(b_, other);
  set_study(b_, sample::study("trials", {{"coop", {mmap1_}}}));
  set_study(a_, sample::study("trials", {{"coop", {coop1_}}}));
  set_study(a_, sample::study("demo-b", {{"coop", {coop1_}}}));
  const std::string before = dump(a_);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(a_.string()), HasSubstr(b_.string()),
                               HasSubstr("study 'demo' has another plan"),
                               HasSubstr("in [train] the one has 'epochs is not said', the other "
                                         "'epochs = 7'"),
                               HasSubstr("--rename")));
  EXPECT_EQ(dump(a_), before) << "a refused merge changes nothing";

  const MergeReport report = merge_stores(a_, {b_}, {.rename = true});
  EXPECT_THAT(report.renamed,
              ElementsAre(HasSubstr("is called 'demo-b-2'"), HasSubstr("is called 'trials-b'")));
  {
    const RunStore store(a_, OpenMode::read_only);
    EXPECT_THAT(store.studies(), ElementsAre("demo", "demo (earlier 1)", "demo-b", "demo-b-2",
                                             "trials", "trials-b"));
    EXPECT_EQ(store.study("demo")->plan.size(), 3U);
    EXPECT_EQ(store.study("demo-b-2")->plan.size(), 2U);
    EXPECT_EQ(store.study("demo-b-2")->searches.at(0).study, "trials-b");
  }
  const std::string once = dump(a_);
  EXPECT_EQ(merge_stores(a_, {b_}, {.rename = true}).studies_added, 0);
  EXPECT_EQ(dump(a_), once);
}

TEST_P(MergeTest, NamesRunsOfOneRowThatDifferInSettings) {
  make(a_, {});
  make(b_, {});
  StudyRecord study = sample::study("demo", rows_);
  study.plan[1].hash = std::string(64, '0');
  set_study(b_, study);
  EXPECT_THAT(refusal(), HasSubstr("their runs of row 'coop' seed 2 have different settings"));
  study = sample::study("demo", rows_);
  for (PlannedRun& run : study.plan)
    if (run.row_label == "mmap") run.sharing = "joint";
  study.plan.back().seed = 2;
  set_study(b_, study);
  EXPECT_THAT(refusal(), HasSubstr("their rows 'mmap' have other methods or sharings"));
}

TEST_P(MergeTest, JoinsSearchesOfOneStudyRowByRow) {
  StudyRecord study = sample::study("demo", rows_);
  const SearchRecord search{.row_index = 0,
                            .strategy = "grid",
                            .trials = 4,
                            .study = "",
                            .chosen = {},
                            .validation_accuracy = 0.5};
  make(a_, {});
  study.searches = {search};
  set_study(a_, study);
  make(b_, {});
  study.searches = {search, search};
  study.searches[0].validation_accuracy = 0.75;
  study.searches[1].row_index = 1;
  set_study(b_, study);
  const MergeReport report = merge_stores(a_, {b_});
  EXPECT_THAT(report.differences, ElementsAre(HasSubstr("the search of row 0 of study 'demo'")));
  const std::vector<SearchRecord> got = RunStore(a_).study("demo")->searches;
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].validation_accuracy, 0.5);
  EXPECT_EQ(got[1].row_index, 1);
}

TEST_P(MergeTest, TakesFilesOfEveryEarlierVersionAndLeavesThemAsTheyAre) {
  for (int version = 1; version < RunStore::schema_version(); ++version) {
    const std::filesystem::path old = folder_ / ("old" + std::to_string(version) + ".sqlite");
    const std::filesystem::path into = folder_ / ("into" + std::to_string(version) + ".sqlite");
    sample::make_old_store(old, version);
    const std::string before = sample::text_of(old);
    EXPECT_EQ(merge_stores(into, {old}).runs_added, 2);
    EXPECT_EQ(sample::text_of(old), before);
    const RunStore store(into, OpenMode::read_only);
    EXPECT_EQ(store.runs("demo").at(0).status, RunStatus::done);
    EXPECT_EQ(store.runs("demo").at(1).error, "out of memory");
  }
}

TEST_P(MergeTest, RefusesFilesThatContradictThemselvesAndChangesNothing) {
  make(a_, {done(coop1_)});
  make(b_, {done(coop2_), done(mmap1_)});
  sample::change_store(b_, "UPDATE task_results SET n_correct = 1 WHERE run_id = 2");
  const std::string before = dump(a_);
  EXPECT_THAT(refusal(), AllOf(HasSubstr(b_.string()), HasSubstr("n_correct is 1")));
  EXPECT_EQ(dump(a_), before);
}

TEST_P(MergeTest, RefusesASplitThatHasTheHashOfAnother) {
  make(a_, {});
  SplitRecord other = sample::split(1);
  std::swap(other.tasks[0].test[0], other.tasks[0].test[1]);
  RunStore(b_).register_split(other);
  EXPECT_THAT(refusal(), HasSubstr("is there already with other tasks or images"));
}

TEST_P(MergeTest, JoinsStoresOfADataSetBeforeAndAfterARepair) {
  make(a_, {done(coop1_)});
  SplitRecord repaired = sample::split(1);
  repaired.dataset.hash = std::string(64, 'f');
  RunRecord run = sample::done_run(mmap1_, repaired);
  run.dataset_hash = repaired.dataset.hash;
  {
    RunStore store(b_);
    store.register_split(repaired);
    store.record(run);
  }
  const MergeReport report = merge_stores(a_, {b_});
  EXPECT_EQ(report.runs_added, 1);
  EXPECT_EQ(report.splits_added, 1);
  const RunStore store(a_, OpenMode::read_only);
  EXPECT_EQ(store.load(run.identity.hash)->dataset_hash, repaired.dataset.hash);
  EXPECT_EQ(store.load(done(coop1_).identity.hash)->dataset_hash, sample::split(1).dataset.hash);
}

TEST_P(MergeTest, RefusesFilesThatAreNotThereOrTheSame) {
  EXPECT_THAT(refusal(), HasSubstr(is_on_server(b_) ? "the database is empty, not a petlab store"
                                                    : "there is no such file"));
  EXPECT_FALSE(has_store(a_)) << "no empty store is left behind";
  make(a_, {});
  if (is_on_server(a_))
    b_ = server_uri(a_);
  else
    std::filesystem::create_symlink(a_, b_ = folder_ / "link.sqlite");
  EXPECT_THAT(refusal(), HasSubstr("cannot be merged into itself"));
}

std::vector<Kinds> all_kinds() {
  std::vector<Kinds> pairs;
  for (const sample::StoreKind into : sample::store_kinds())
    for (const sample::StoreKind from : sample::store_kinds())
      pairs.emplace_back(into, from);
  return pairs;
}

INSTANTIATE_TEST_SUITE_P(On, MergeTest, testing::ValuesIn(all_kinds()), [](const auto& kinds) {
  const auto name = [](sample::StoreKind kind) {
    return std::string(kind == sample::StoreKind::file ? "File" : "Server");
  };
  return name(kinds.param.second) + "Into" + name(kinds.param.first);
});

}  // namespace
}  // namespace petlab::results
