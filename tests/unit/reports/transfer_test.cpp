#include "transfer.hpp"

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
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kProtocol = "[dataset]\ntransfer = /data/pets.ini,/data/cars.ini\n";

/// A study of one row on two domains, with two data sets to be tested on.
class Transfer : public ::testing::Test {
 protected:
  Transfer() {
    store_.register_split(results::sample::split(1));
    results::StudyRecord study = results::sample::study("small", {{"coop", {row()}}});
    study.protocol = kProtocol;
    store_.set_study(study);
    store_.record(run());
  }

  static results::sample::RunChoice row() { return {.sharing = "per-task", .correct = {9, 7}}; }
  static RunRecord run() { return results::sample::done_run(row(), results::sample::split(1)); }

  /// So many of 10 test images of each domain of the data set right, with the adapters of a task.
  void evaluate(const std::string& target, const std::string& adapters_of,
                const std::vector<std::int64_t>& correct,
                const results::SplitRecord& split = results::sample::split(1),
                const std::string& class_names = "") {
    store_.register_split(split);
    results::sample::RunChoice choice = row();
    choice.correct = correct;
    RunRecord record = results::sample::done_run(choice, split);
    record.kind = results::run_kind::kEvaluation;
    record.parent = run().identity.hash;
    record.identity = results::make_identity({{"kind", "evaluation"},
                                              {"of", adapters_of},
                                              {"transfer", target},
                                              {"dataset.fingerprint", split.dataset.hash},
                                              {"dataset.split", split.hash},
                                              {"dataset.class-names", class_names}});
    record.epochs = {};
    if (!adapters_of.empty())
      record.environment.emplace_back(results::environment::kTestedAs, adapters_of);
    if (!target.empty()) record.environment.emplace_back(results::environment::kTransfer, target);
    store_.record(record);
  }

  Row first_row() const { return build_report(store_, "small").rows.front(); }

  results::sample::TemporaryFolder folder_;
  RunStore store_{folder_ / "a.sqlite", OpenMode::create};
  std::string first_ = results::sample::split(1).tasks[0].task;
  std::string second_ = results::sample::split(1).tasks[1].task;
};

TEST_F(Transfer, IsTheMeanOverDomainsAndOverTheAdaptersOfEachTask) {
  evaluate("pets", first_, {3, 5});   // 0.4
  evaluate("pets", second_, {6, 8});  // 0.7
  evaluate("cars", "", {2, 4});       // adapters that the tasks share
  evaluate("", "", {10, 10});         // somebody's own evaluation
  EXPECT_THAT(build_report(store_, "small").transfer_targets, ElementsAre("pets", "cars"));
  const Row row = first_row();
  ASSERT_EQ(row.transfer.size(), 2U);
  EXPECT_NEAR(row.transfer[0].value().mean, 0.55, 1e-12);
  EXPECT_NEAR(row.transfer[1].value().mean, 0.3, 1e-12);
  std::ostringstream out;
  print_table(out, build_report(store_, "small"), {});
  EXPECT_THAT(out.str(), HasSubstr("on pets"));
  EXPECT_THAT(out.str(), HasSubstr("55.00 (n=1)"));
  EXPECT_THAT(out.str(), HasSubstr("30.00 (n=1)"));
}

TEST_F(Transfer, HasNoNumberWhereANameStandsForSeveralDataSetsOrSplits) {
  evaluate("cars", "", {2, 4});
  evaluate("pets", first_, {3, 5});
  evaluate("pets", second_, {6, 8});
  const auto has_no_number = [&] {
    const Report report = build_report(store_, "small");
    EXPECT_FALSE(report.rows.front().transfer.at(0));
    EXPECT_THAT(report.notes,
                testing::Contains(HasSubstr("No accuracy is shown on 'pets': in this store the "
                                            "name stands for several data sets or splits"))
                    .Times(1));
    return report.rows.front().transfer.at(1).has_value();
  };
  // The file was edited, or another study's file of this name names another data set.
  evaluate("pets", first_, {1, 1}, results::sample::split(7));
  EXPECT_TRUE(has_no_number());
  evaluate("pets", first_, {1, 1}, results::sample::split(1, 12));
  EXPECT_TRUE(has_no_number());
  evaluate("cars", "", {1, 1}, results::sample::split(1), "other names of classes");
  EXPECT_FALSE(build_report(store_, "small").rows.front().transfer.at(1));
  EXPECT_THAT(build_report(store_, "small").notes,
              testing::Contains(HasSubstr("No accuracy is shown on 'pets', 'cars'")).Times(1));
}

TEST_F(Transfer, IsNotSaidWhereSomeAdaptersAreNotTested) {
  evaluate("pets", first_, {3, 5});
  const Row row = first_row();
  EXPECT_FALSE(row.transfer[0].has_value());
  EXPECT_FALSE(row.transfer[1].has_value());
}

}  // namespace
}  // namespace petlab::reports
