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
namespace sample = results::sample;

constexpr const char* kProtocol = "[dataset]\ntransfer = /data/pets.ini,/data/cars.ini\n";

/// A study of one row on two domains, with two data sets to be tested on.
class Transfer : public ::testing::Test {
 protected:
  Transfer() {
    store_.register_split(sample::split(1));
    results::StudyRecord study = sample::study("small", {{"coop", {row()}}});
    study.protocol = kProtocol;
    store_.set_study(study);
    store_.record(run());
  }

  static sample::RunChoice row() { return {.sharing = "per-task", .correct = {9, 7}}; }
  static RunRecord run() { return sample::done_run(row(), sample::split(1)); }

  /// So many of 10 test images of each domain of the data set right, with the adapters of a task.
  void evaluate(const std::string& target, const std::string& adapters_of,
                const std::vector<std::int64_t>& correct) {
    sample::RunChoice choice = row();
    choice.correct = correct;
    RunRecord record = sample::done_run(choice, sample::split(1));
    record.kind = results::run_kind::kEvaluation;
    record.parent = run().identity.hash;
    record.identity =
        results::make_identity({{"kind", "evaluation"}, {"of", adapters_of}, {"transfer", target}});
    record.epochs = {};
    if (!adapters_of.empty())
      record.environment.emplace_back(results::environment::kTestedAs, adapters_of);
    if (!target.empty()) record.environment.emplace_back(results::environment::kTransfer, target);
    store_.record(record);
  }

  Row first_row() const { return build_report(store_, "small").rows.front(); }

  sample::TemporaryFolder folder_;
  RunStore store_{folder_ / "a.sqlite", OpenMode::create};
  std::string first_ = sample::split(1).tasks[0].task;
  std::string second_ = sample::split(1).tasks[1].task;
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

TEST_F(Transfer, IsNotSaidWhereSomeAdaptersAreNotTested) {
  evaluate("pets", first_, {3, 5});
  const Row row = first_row();
  EXPECT_FALSE(row.transfer[0].has_value());
  EXPECT_FALSE(row.transfer[1].has_value());
}

}  // namespace
}  // namespace petlab::reports
