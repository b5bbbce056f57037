#include "lease_keeper.hpp"

#include "lease_owner.hpp"
#include "petlab/base/error.hpp"

#include <time.h>

#include <algorithm>
#include <utility>

namespace petlab::study {

LeaseKeeper::LeaseKeeper(results::RunStore& store, std::string owner, std::chrono::milliseconds ttl,
                         Clock clock)
    : store_(store),
      owner_(std::move(owner)),
      ttl_(ttl),
      clock_(std::move(clock)),
      renewed_(clock_()) {}

LeaseKeeper::~LeaseKeeper() {
  for (const std::string& identity : held_) {
    try {
      store_.release(identity, owner_);
    } catch (const std::exception&) {
      // The lease ends by itself.
    }
  }
}

results::Claim LeaseKeeper::claim(const std::string& identity) {
  const auto now = clock_();
  results::Claim claim = store_.claim(identity, owner_, ttl_);
  if (claim == results::Claim::busy && release_of_the_dead(identity))
    claim = store_.claim(identity, owner_, ttl_);
  if (claim != results::Claim::taken) return claim;
  if (held_.empty()) renewed_ = now;
  held_.push_back(identity);
  return claim;
}

bool LeaseKeeper::release_of_the_dead(const std::string& identity) {
  for (const results::Lease& lease : store_.leases()) {
    if (lease.identity != identity || !is_gone(lease.owner)) continue;
    store_.release(identity, lease.owner);
    return true;
  }
  return false;
}

std::vector<std::string> LeaseKeeper::keep() {
  const auto now = clock_();
  if (held_.empty() || now - renewed_ < ttl_ / 4) return {};
  std::vector<std::string> lost;
  try {
    if (!store_.renew(held_, owner_, ttl_)) {
      for (const std::string& identity : held_)
        if (!store_.renew({identity}, owner_, ttl_)) lost.push_back(identity);
    }
  } catch (const base::Error&) {
    if (now - renewed_ >= ttl_) throw;
    return {};  // tried again at the next call
  }
  renewed_ = now;
  for (const std::string& identity : lost)
    std::erase(held_, identity);
  return lost;
}

void LeaseKeeper::release(const std::string& identity) {
  if (std::erase(held_, identity) > 0) store_.release(identity, owner_);
}

std::chrono::milliseconds LeaseKeeper::time_with_sleep() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace petlab::study
