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
  if (const auto lease = holder(identity); lease && lease->owner != owner_) {
    const OwnerState state = state_of(lease->owner);
    // A run that was done meanwhile has no lease any more, whoever held it.
    if (state == OwnerState::at_work && !store_.has_done(identity)) return results::Claim::busy;
    if (state == OwnerState::gone) store_.release(identity, lease->owner);
  }
  const results::Claim claim = store_.claim(identity, owner_, ttl_);
  if (claim != results::Claim::taken) return claim;
  if (held_.empty()) renewed_ = now;
  held_.push_back(identity);
  return claim;
}

std::optional<results::Lease> LeaseKeeper::holder(const std::string& identity) const {
  for (results::Lease& lease : store_.leases())
    if (lease.identity == identity) return std::move(lease);
  return std::nullopt;
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
  if (std::find(held_.begin(), held_.end(), identity) == held_.end()) return;
  store_.release(identity, owner_);
  std::erase(held_, identity);
}

std::chrono::milliseconds LeaseKeeper::time_with_sleep() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace petlab::study
