#include "program.hpp"
#include "sample_study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace petlab::tests {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kWatchedRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.coop]\nmethod = coop\nsharing = joint\n";

std::vector<std::string> arguments(const std::string& study, const std::string& command,
                                   const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {command, study,   "--store",          "a.sqlite", "--cache-dir",
                                  "cache", "--set", "study.name=small", "--seeds",  "1"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(Watch, ShowsAStudyUntilItIsDone) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kWatchedRows);
  // From before there is a store to the end.
  Program watch(arguments(study, "watch", {"--every", "0.1"}), workshop.folder());
  while (watch.printed().empty() && state_of(watch.pid()) != "Z")
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const Output run = run_petlab(arguments(study, "run", {"--workers", "1"}), workshop.folder());
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Output watched = watch.wait();
  EXPECT_EQ(watched.exit_code, 0) << watched.err;
  EXPECT_THAT(watched.out,
              AllOf(StartsWith("small: 0 of 2 done, 0 running, 2 to do; nobody is at work\n"),
                    HasSubstr("1 running"), EndsWith("small: 2 of 2 done, 0 running, 0 to do\n")));
  // Computes nothing, and is over at once where all is done.
  const Output again = run_petlab(arguments(study, "watch"), workshop.folder());
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.out, "small: 2 of 2 done, 0 running, 0 to do\n");
}

TEST(Watch, EndsWithAnErrorWhereARunHasFailed) {
  const Workshop workshop;
  const std::string study = workshop.write_study(kWatchedRows);
  const std::vector<std::string> hopeless = {"--set", "method.coop.learning-rate=1e30"};
  ASSERT_EQ(run_petlab(arguments(study, "run", hopeless), workshop.folder()).exit_code, 1);
  const Output watched = run_petlab(arguments(study, "watch", hopeless), workshop.folder());
  EXPECT_EQ(watched.exit_code, 1) << watched.err;
  EXPECT_THAT(watched.out, HasSubstr("1 of 2 done, 1 failed, 0 running, 0 to do"));
}

TEST(Watch, RefusesASenselessInterval) {
  const Workshop workshop;
  const Output refused = run_petlab(
      arguments(workshop.write_study(kWatchedRows), "watch", {"--every", "0"}), workshop.folder());
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_THAT(refused.err, HasSubstr("--every is 0, expected seconds"));
}

}  // namespace
}  // namespace petlab::tests
