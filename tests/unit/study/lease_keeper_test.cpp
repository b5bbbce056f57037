#include "lease_keeper.hpp"

#include "lease_owner.hpp"
#include "petlab/base/sha256.hpp"
#include "sample_records.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

namespace petlab::study {
namespace {

using namespace std::chrono_literals;
using results::Claim;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kFirst = base::sha256_hex("first");
const std::string kSecond = base::sha256_hex("second");

/// A store that two keepers work on; the clock is the test's.
class LeaseKeeping : public testing::Test {
 protected:
  LeaseKeeper keeper(const std::string& owner, std::chrono::milliseconds ttl) {
    return {store_, owner, ttl, [this] { return now_; }};
  }

  results::sample::TemporaryFolder folder_;
  results::RunStore store_{folder_ / "a.sqlite"};
  std::chrono::milliseconds now_ = 5s;
};

TEST_F(LeaseKeeping, ARunBelongsToOneUntilItIsGivenBack) {
  LeaseKeeper one = keeper("one", 1h), other = keeper("other", 1h);
  EXPECT_EQ(one.claim(kFirst), Claim::taken);
  EXPECT_EQ(other.claim(kFirst), Claim::busy);
  other.release(kFirst);  // not its own
  EXPECT_EQ(other.claim(kFirst), Claim::busy);
  one.release(kFirst);
  EXPECT_EQ(other.claim(kFirst), Claim::taken);
}

TEST_F(LeaseKeeping, WhatIsHeldAtTheEndIsGivenBack) {
  std::optional<LeaseKeeper> one;
  one.emplace(store_, "one", 1h, [this] { return now_; });
  EXPECT_EQ(one->claim(kFirst), Claim::taken);
  EXPECT_EQ(one->claim(kSecond), Claim::taken);
  one.reset();
  EXPECT_THAT(store_.leases(), IsEmpty());
}

TEST_F(LeaseKeeping, RenewsAQuarterOfTheTimeAfterTheLastOne) {
  LeaseKeeper one = keeper("one", 1h);
  EXPECT_EQ(one.claim(kFirst), Claim::taken);
  store_.release(kFirst, "one");  // as if another had taken it; noticed when it is renewed
  now_ += 14min;
  EXPECT_THAT(one.keep(), IsEmpty());
  now_ += 1min;
  EXPECT_THAT(one.keep(), ElementsAre(kFirst));
  now_ += 1h;
  EXPECT_THAT(one.keep(), IsEmpty());  // held no more
}

TEST_F(LeaseKeeping, TellsWhichRunsAnotherTookAfterTheyRanOut) {
  LeaseKeeper sleeper = keeper("sleeper", 1ms), other = keeper("other", 1h);
  EXPECT_EQ(sleeper.claim(kFirst), Claim::taken);
  EXPECT_EQ(sleeper.claim(kSecond), Claim::taken);
  // The store's clock is the system's: a lease of a millisecond ends within these tries.
  Claim claim = Claim::busy;
  for (int i = 0; i < 10'000 && claim == Claim::busy; ++i)
    claim = other.claim(kFirst);
  EXPECT_EQ(claim, Claim::taken);
  now_ += 1s;
  EXPECT_THAT(sleeper.keep(), ElementsAre(kFirst));
  EXPECT_EQ(store_.leases().size(), 2U);  // kSecond's was renewed, though late
}

TEST_F(LeaseKeeping, TheLeaseOfADeadProcessIsTakenOverAtOnce) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::ofstream(folder_ / "owner") << lease_owner() << std::flush;
    ::_exit(0);
  }
  // Ended, though not collected yet: as good as gone.
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  std::string owner;
  std::getline(std::ifstream(folder_ / "owner"), owner);
  EXPECT_THAT(owner, testing::HasSubstr("process " + std::to_string(child)));
  EXPECT_EQ(state_of(owner), OwnerState::gone);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(state_of(owner), OwnerState::gone);

  LeaseKeeper dead = keeper(owner, 1h), heir = keeper("heir", 1h);
  EXPECT_EQ(dead.claim(kFirst), Claim::taken);
  EXPECT_EQ(heir.claim(kFirst), Claim::taken);
}

TEST_F(LeaseKeeping, TheLeaseOfALivingOrUnknownProcessIsLeftAlone) {
  const std::string self = lease_owner();
  EXPECT_EQ(lease_owner(), self);
  EXPECT_EQ(state_of(self), OwnerState::at_work);
  const auto start = self.rfind('-');
  // Another process had the number before.
  EXPECT_EQ(state_of(self.substr(0, start) + "-1)"), OwnerState::gone);
  // Another machine, an earlier boot, another container: whether it lives cannot be seen here.
  EXPECT_EQ(state_of("far, process 1 (12345678.4026531836-99)"), OwnerState::unknown);
  for (const char* strange : {"", "somebody", "host, process", "host, process x (y)"})
    EXPECT_EQ(state_of(strange), OwnerState::unknown) << strange;
  EXPECT_EQ(other_host("far, process 1 (12345678.4026531836-99)"), "far");
  EXPECT_EQ(other_host(self), std::nullopt);
  const std::string here = self.substr(0, self.find(", process "));
  EXPECT_EQ(other_host(here + ", process 1 (12345678.4026531836-99)"), std::nullopt) << "rebooted";
  EXPECT_EQ(other_host("far" + self.substr(here.size())), std::nullopt)
      << "a container of this host";
  EXPECT_EQ(other_host("somebody"), std::nullopt);
  LeaseKeeper one = keeper(self, 1h), other = keeper("far, process 1 (12345678.1-99)", 1h);
  EXPECT_EQ(one.claim(kFirst), Claim::taken);
  EXPECT_EQ(other.claim(kFirst), Claim::busy);
  EXPECT_EQ(other.claim(kSecond), Claim::taken);
  EXPECT_EQ(one.claim(kSecond), Claim::busy);
}

TEST_F(LeaseKeeping, ARunThatALivingProcessOfThisMachineHoldsIsNotTakenThoughItsLeaseRanOut) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::ofstream(folder_ / "draft") << lease_owner() << std::flush;
    std::filesystem::rename(folder_ / "draft", folder_ / "owner");
    for (;;)
      ::pause();
  }
  while (!std::filesystem::exists(folder_ / "owner"))
    ::usleep(1000);
  std::string owner;
  std::getline(std::ifstream(folder_ / "owner"), owner);
  // A clock that jumped, a store that could not be written for a while: the lease ran out.
  ASSERT_EQ(store_.claim(kFirst, owner, 1ms), Claim::taken);
  ::usleep(20'000);
  LeaseKeeper other = keeper("other", 1h);
  EXPECT_EQ(state_of(owner), OwnerState::at_work);
  EXPECT_EQ(other.claim(kFirst), Claim::busy);
  ASSERT_TRUE(other.holder(kFirst).has_value());
  EXPECT_EQ(other.holder(kFirst)->owner, owner);
  EXPECT_FALSE(other.holder(kSecond).has_value());
  // One that stands still leaves it to whoever comes, as one that is gone does.
  ::kill(child, SIGSTOP);
  int status = 0;
  ::waitpid(child, &status, WUNTRACED);
  EXPECT_EQ(state_of(owner), OwnerState::stopped);
  EXPECT_EQ(other.claim(kFirst), Claim::taken);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(state_of(owner), OwnerState::gone);
}

}  // namespace
}  // namespace petlab::study
