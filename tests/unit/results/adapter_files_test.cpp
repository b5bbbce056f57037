#include "petlab/results/adapter_files.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/results/merge.hpp"
#include "petlab/results/run_store.hpp"
#include "sample_records.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

namespace petlab::results {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

template <typename Work>
std::string refusal(Work&& work) {
  try {
    work();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

class AdapterFilesTest : public testing::Test {
 protected:
  sample::TemporaryFolder folder_;
  fs::path a_ = folder_ / "a.sqlite";
  fs::path b_ = folder_ / "b.sqlite";
  const std::string content_ = "the adapters";

  RunRecord run_ = [this] {
    RunRecord run = sample::done_run({.method = "lora"}, sample::split(1));
    run.adapters_hash = base::sha256_hex(content_);
    run.adapters_bytes = static_cast<std::int64_t>(content_.size());
    return run;
  }();

  void put(const fs::path& store, const std::string& content) const {
    const fs::path file = adapter_file(store, run_.identity.hash);
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
  }
  void record(const fs::path& path, const RunRecord& run) const {
    RunStore store(path);
    store.register_split(sample::split(1));
    store.record(run);
  }
  RunRecord evaluation() const {
    RunRecord run = run_;
    run.kind = run_kind::kEvaluation;
    run.parent = run_.identity.hash;
    run.adapters_hash = "";
    run.adapters_bytes = 0;
    run.identity = make_identity({{"kind", "evaluation"}, {"parent", run_.identity.hash}});
    return run;
  }
};

TEST_F(AdapterFilesTest, AreFoundBesideTheStoreAndComparedWithTheirDigest) {
  EXPECT_EQ(adapter_file("x/a.sqlite", "id"), fs::path("x/a.sqlite.adapters/id.safetensors"));
  EXPECT_THAT(adapter_trouble(a_, run_), HasSubstr("are missing"));
  EXPECT_THAT(refusal([&] { (void)checked_adapter_file(a_, run_); }), HasSubstr("are missing"));
  put(a_, content_ + "!");
  EXPECT_THAT(adapter_trouble(a_, run_), HasSubstr("has 13 bytes, its store says 12"));
  put(a_, "the AdapterS");
  EXPECT_EQ(adapter_trouble(a_, run_), "");
  EXPECT_THAT(refusal([&] { (void)checked_adapter_file(a_, run_); }),
              AllOf(HasSubstr("are not what they were"), HasSubstr("has the digest")));
  put(a_, content_);
  EXPECT_EQ(checked_adapter_file(a_, run_), adapter_file(a_, run_.identity.hash));
  RunRecord without = run_;
  without.adapters_hash = "";
  without.adapters_bytes = 0;
  EXPECT_EQ(adapter_trouble(b_, without), "");
  EXPECT_THAT(refusal([&] { (void)checked_adapter_file(a_, without); }),
              HasSubstr("were not kept"));
  EXPECT_THAT(refusal([&] { (void)checked_adapter_file(a_, evaluation()); }),
              HasSubstr("name that one"));
}

TEST_F(AdapterFilesTest, AreCarriedWholeOrNotAtAll) {
  EXPECT_THAT(refusal([&] { carry_adapters(a_, b_, run_); }), HasSubstr("are missing"));
  put(a_, "the AdapterS");
  EXPECT_THAT(refusal([&] { carry_adapters(a_, b_, run_); }), HasSubstr("has the digest"));
  EXPECT_TRUE(fs::is_empty(adapter_file(b_, "x").parent_path())) << "not even a draft is left";
  put(a_, content_);
  EXPECT_TRUE(carry_adapters(a_, b_, run_));
  EXPECT_EQ(base::sha256_of_file(adapter_file(b_, run_.identity.hash)), run_.adapters_hash);
  EXPECT_FALSE(carry_adapters(a_, b_, run_)) << "they are there";
}

TEST_F(AdapterFilesTest, ComeWithTheirRunsWhenStoresAreMerged) {
  record(a_, run_);
  put(a_, content_);
  MergeReport report = merge_stores(b_, {a_});
  EXPECT_EQ(report.adapters_copied, 1);
  EXPECT_THAT(report.without_adapters, IsEmpty());
  EXPECT_EQ(checked_adapter_file(b_, RunStore(b_).load(run_.identity.hash).value()),
            adapter_file(b_, run_.identity.hash));
  EXPECT_EQ(merge_stores(b_, {a_}).adapters_copied, 0);
  fs::remove(adapter_file(b_, run_.identity.hash));
  EXPECT_EQ(merge_stores(b_, {a_}).adapters_copied, 1) << "what was lost comes back";
  fs::remove(adapter_file(a_, run_.identity.hash));
  report = merge_stores(folder_ / "c.sqlite", {a_});
  EXPECT_EQ(report.runs_added, 1);
  EXPECT_EQ(report.adapters_copied, 0);
  EXPECT_THAT(report.without_adapters, ElementsAre(HasSubstr("are missing")));
}

TEST_F(AdapterFilesTest, DigestAndSizeAreKeptTogetherOrNotAtAll) {
  RunStore store(a_);
  store.register_split(sample::split(1));
  RunRecord bad = run_;
  bad.adapters_bytes = 0;
  EXPECT_THAT(refusal([&] { store.record(bad); }), HasSubstr("expected both or none"));
  bad = run_;
  bad.adapters_hash = "abc";
  EXPECT_THAT(refusal([&] { store.record(bad); }), HasSubstr("is not 64 hex digits"));
  store.record(run_);
  const RunRecord back = store.load(run_.identity.hash).value();
  EXPECT_EQ(back.adapters_hash, run_.adapters_hash);
  EXPECT_EQ(back.adapters_bytes, 12);
  EXPECT_EQ(back.kind, run_kind::kTraining);
  EXPECT_FALSE(back.parent.has_value());
}

TEST_F(AdapterFilesTest, AnEvaluationNamesTheRunThatTrained) {
  const RunRecord evaluated = evaluation();
  {
    RunStore store(a_);
    store.register_split(sample::split(1));
    EXPECT_THAT(refusal([&] { store.record(evaluated); }), HasSubstr("FOREIGN KEY"));
    store.record(run_);
    RunRecord orphan = evaluated;
    orphan.parent.reset();
    EXPECT_THAT(refusal([&] { store.record(orphan); }), HasSubstr("names the run that trained"));
    RunRecord training = evaluated;
    training.kind = run_kind::kTraining;
    EXPECT_THAT(refusal([&] { store.record(training); }), HasSubstr("no other run does"));
    store.record(evaluated);
    EXPECT_EQ(store.load(evaluated.identity.hash)->parent, run_.identity.hash);
    store.set_study(sample::study("demo", {{"lora", {{.method = "lora"}}}}));
  }
  EXPECT_EQ(merge_stores(b_, {a_}).runs_added, 2);
  SQLite::Database db(b_.string(), SQLite::OPEN_READONLY);
  SQLite::Statement row(db, "SELECT parent, dataset, task, accuracy, label FROM evaluations");
  ASSERT_TRUE(row.executeStep());
  EXPECT_EQ(row.getColumn(0).getString(), run_.identity.hash);
  EXPECT_EQ(row.getColumn(1).getString(), "icon-home");
  EXPECT_EQ(row.getColumn(2).getString(), "line");
  EXPECT_EQ(row.getColumn(3).getDouble(), 0.7);
  EXPECT_EQ(row.getColumn(4).getString(), "lora");
}

}  // namespace
}  // namespace petlab::results
