#include "left_out.hpp"

#include "petlab/base/sha256.hpp"
#include "petlab/reports/render.hpp"
#include "petlab/results/identity.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

namespace petlab::reports {
namespace {

using results::OpenMode;
using results::RunRecord;
using results::RunStore;
using testing::AllOf;
using testing::HasSubstr;

/// In what an evaluation is not the study's own.
struct Said {
  std::string dataset = {}, transfer = {}, class_names = {}, stand_in = {}, seed = "1";
  results::NamedValues settings = {};
};

/// Two studies of one row on two domains, which leave out "art" and "clip".
class LeftOut : public ::testing::Test {
 protected:
  LeftOut() {
    store_.register_split(results::sample::split(1));
    for (const std::string domain : {"art", "clip"}) {
      results::StudyRecord study =
          results::sample::study("without-" + domain, {{"coop", {row(domain)}}});
      study.protocol = "[study]\nname = without-" + domain +
                       "\n[dataset]\ntrain-fraction = 0.1\nleave-out = " + domain + "\n";
      store_.set_study(study);
      store_.record(run(domain));
    }
  }

  static results::sample::RunChoice row(const std::string& domain) {
    return {.method = "coop-" + domain, .sharing = "per-task", .correct = {9, 7}};
  }
  static RunRecord run(const std::string& domain) {
    return results::sample::done_run(row(domain), results::sample::split(1));
  }

  /// So many of 10 test images of the domain right, with the adapters of a task.
  void evaluate(const std::string& domain, const std::string& adapters_of, std::int64_t correct,
                const std::string& fraction = "0.1", const Said& said = {}) {
    results::SplitRecord split = results::sample::split(1);
    if (!said.dataset.empty()) split.dataset.hash = base::sha256_hex(said.dataset);
    split.tasks.resize(1);
    split.tasks[0].task = domain;
    split.hash = std::string(64 - domain.size(), 'd') + domain;
    for (char& digit : split.hash)
      if (std::isxdigit(static_cast<unsigned char>(digit)) == 0) digit = '0';
    store_.register_split(split);
    results::sample::RunChoice choice = row(domain);
    choice.correct = {correct};
    RunRecord record = results::sample::done_run(choice, split);
    record.kind = results::run_kind::kEvaluation;
    record.parent = run(domain).identity.hash;
    record.identity = results::make_identity(
        {{"kind", "evaluation"},
         {"of", adapters_of},
         {"on", domain},
         {"fraction", fraction},
         {"transfer", said.transfer},
         {"dataset.fingerprint", said.dataset.empty() ? "" : base::sha256_hex(said.dataset)},
         {"dataset.class-names", said.class_names},
         {"seed", said.seed},
         {"settings", said.settings.empty() ? "" : said.settings.front().first},
         {"stand-in", !said.stand_in.empty() ? said.stand_in
                      : adapters_of.empty()  ? ""
                                             : "for all: " + adapters_of}});
    record.dataset_hash = split.dataset.hash;
    if (!said.seed.empty()) record.seed = std::stoull(said.seed);
    if (!said.transfer.empty())
      record.environment.emplace_back(results::environment::kTransfer, said.transfer);
    record.epochs = {};
    record.protocol = {{"dataset.train-fraction", fraction}, {"dataset.domains", domain}};
    record.protocol.insert(record.protocol.end(), said.settings.begin(), said.settings.end());
    if (!adapters_of.empty())
      record.environment.emplace_back(results::environment::kTestedAs, adapters_of);
    store_.record(record);
  }

  std::vector<Report> reports() const {
    return {build_report(store_, "without-art"), build_report(store_, "without-clip")};
  }

  results::sample::TemporaryFolder folder_;
  RunStore store_{folder_ / "a.sqlite", OpenMode::create};
  std::string first_ = results::sample::split(1).tasks[0].task;
  std::string second_ = results::sample::split(1).tasks[1].task;
};

TEST_F(LeftOut, IsTheMeanOverTheAdaptersOfEachTask) {
  evaluate("art", first_, 3);
  evaluate("art", second_, 6);
  evaluate("clip", "", 8);         // the adapters are shared
  evaluate("clip", "", 1, "0.5");  // another split
  const std::vector<Report> both = reports();
  EXPECT_DOUBLE_EQ(both[0].rows.at(0).left_out.value().mean, 0.45);
  EXPECT_DOUBLE_EQ(both[1].rows.at(0).left_out.value().mean, 0.8);
  const TextTable table = make_left_out_table(both);
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(table.rows[0], testing::ElementsAre("coop", "45.00", "80.00", "62.50 (n=1)"));
  std::ostringstream text;
  print_joint_tables(text, both);
  EXPECT_THAT(text.str(), AllOf(HasSubstr("Accuracy on the domain left out"), HasSubstr("62.50")));
  std::ostringstream one;
  print_table(one, both[0]);
  EXPECT_THAT(one.str(), HasSubstr("on art"));
}

TEST_F(LeftOut, IsNoTestThatIsNotTheStudys) {
  evaluate("clip", "", 8);
  evaluate("clip", "", 1, "0.1", {.transfer = "clip"});
  evaluate("clip", "", 1, "0.1", {.class_names = "other names"});
  evaluate("clip", "", 1, "0.1", {.stand_in = first_});
  evaluate("clip", "", 1, "0.1", {.seed = "2"});
  evaluate("clip", "", 1, "0.1", {.settings = {{"dataset.split", "shots"}}});
  evaluate("clip", "", 1, "0.1", {.settings = {{"dataset.classes", "new"}}});
  evaluate("clip", "", 1, "0.1", {.settings = {{"dataset", "another"}}});
  const Report report = build_report(store_, "without-clip");
  EXPECT_DOUBLE_EQ(report.rows.at(0).left_out.value().mean, 0.8);
  EXPECT_THAT(report.notes, testing::Not(testing::Contains(HasSubstr("No accuracy"))));
}

TEST_F(LeftOut, HasNoNumberWhereItWasTestedInTwoDataSets) {
  evaluate("clip", "", 8);
  evaluate("clip", "", 1, "0.1", {.dataset = "others have such a domain"});
  const Report report = build_report(store_, "without-clip");
  EXPECT_FALSE(report.rows.at(0).left_out);
  EXPECT_THAT(report.notes, testing::Contains(HasSubstr("No accuracy is shown on clip")).Times(1));
}

TEST_F(LeftOut, IsAbsentWhereATasksAdaptersAreNotTested) {
  evaluate("art", first_, 3);
  const std::vector<Report> both = reports();
  EXPECT_FALSE(both[0].rows.at(0).left_out);
  EXPECT_FALSE(both[1].rows.at(0).left_out);
  EXPECT_EQ(make_left_out_table(both).rows.at(0).back(), kNothing);
  EXPECT_TRUE(make_left_out_table({both[0]}).rows.empty());
}

}  // namespace
}  // namespace petlab::reports
