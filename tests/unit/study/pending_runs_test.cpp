#include "petlab/study/pending_runs.hpp"

#include "petlab/base/error.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace petlab::study {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class Pending : public testing::Test {
 protected:
  Pending() {
    const results::SplitRecord split = results::sample::split(1);
    store_.register_split(split);
    const auto add = [&](const char* method, const char* failure) {
      results::sample::RunChoice choice;
      choice.method = method;
      Job job;
      job.spec.label = method;
      job.identity = results::sample::identity_of(choice, split);
      jobs_.push_back(job);
      if (failure == nullptr) return;
      results::RunRecord run = *failure == '\0'
                                   ? results::sample::done_run(choice, split)
                                   : results::sample::failed_run(choice, split, "it broke");
      run.error_kind = failure;
      store_.record(run);
    };
    add("missing", nullptr);
    add("done", "");
    add("numeric", "numeric");
    add("device", "device");
  }

  [[nodiscard]] PendingRuns choose(const RetryChoice& retry) const {
    return choose_jobs(jobs_, store_, retry);
  }

  static std::vector<std::string> labels(const PendingRuns& pending) {
    std::vector<std::string> result;
    for (const Job& job : pending.jobs)
      result.push_back(job.spec.label);
    return result;
  }

  results::sample::TemporaryFolder folder_;
  results::RunStore store_{folder_ / "a.sqlite"};
  std::vector<Job> jobs_;
};

TEST_F(Pending, FailedRunsAreLeftAsTheyAre) {
  const PendingRuns pending = choose({});
  EXPECT_THAT(labels(pending), ElementsAre("missing"));
  EXPECT_EQ(pending.done, 1U);
  EXPECT_EQ(pending.failed, 2U);
  EXPECT_THAT(pending.retried, IsEmpty());
}

TEST_F(Pending, AllOrSomeKindsAreTriedAgain) {
  EXPECT_THAT(labels(choose(parse_retry("failed"))), ElementsAre("missing", "numeric", "device"));
  EXPECT_THAT(labels(choose(parse_retry("numeric,device"))),
              ElementsAre("missing", "numeric", "device"));
  const PendingRuns pending = choose(parse_retry("device"));
  EXPECT_THAT(labels(pending), ElementsAre("missing", "device"));
  EXPECT_EQ(pending.failed, 1U);
  EXPECT_THAT(pending.retried, ElementsAre(Pair(jobs_[3].identity.hash, "2026-01-31T12:00:10Z")));
}

TEST(Retry, RefusesOtherWords) {
  for (const auto& [text, message] :
       {std::pair{"numerics", "did you mean 'numeric'?"}, std::pair{"", "known: failed, config"},
        std::pair{"device,,numeric", "--retry: ''"}}) {
    try {
      (void)parse_retry(text);
      FAIL() << text;
    } catch (const base::Error& error) {
      EXPECT_EQ(error.kind(), base::ErrorKind::config);
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }
}

}  // namespace
}  // namespace petlab::study
