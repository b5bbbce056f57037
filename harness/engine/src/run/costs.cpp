#include "petlab/engine/costs.hpp"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <sys/resource.h>

#include <algorithm>

namespace petlab::engine {
namespace {

constexpr auto kAggregate = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);

void wait_for(c10::Device device) {
  if (!device.is_cpu()) {
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
  }
}

}  // namespace

std::int64_t peak_host_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

void CostLog::begin(const std::string& phase) {
  results::PhaseCost nothing;
  nothing.phase = phase;
  resume(nothing);
}

void CostLog::resume(const results::PhaseCost& earlier) {
  earlier_ = earlier;
  if (!device_.is_cpu()) {
    auto* allocator = c10::getDeviceAllocator(device_.type());
    if (allocator->initialized()) allocator->resetPeakStats(device_.index());
  }
  start_ = Clock::now();
}

results::PhaseCost CostLog::so_far(std::int64_t images) const {
  const std::chrono::duration<double> seconds = Clock::now() - start_;
  results::PhaseCost cost = earlier_;
  cost.seconds += seconds.count();
  cost.images += images;
  cost.peak_host_bytes = std::max(cost.peak_host_bytes, peak_host_bytes());
  if (!device_.is_cpu()) {
    auto* allocator = c10::getDeviceAllocator(device_.type());
    if (allocator->initialized()) {
      const std::int64_t peak =
          allocator->getDeviceStats(device_.index()).allocated_bytes[kAggregate].peak;
      cost.peak_device_bytes = std::max(cost.peak_device_bytes.value_or(0), peak);
    }
  }
  return cost;
}

void CostLog::end(std::int64_t images) {
  if (earlier_.phase.empty()) return;
  wait_for(device_);
  costs_.push_back(so_far(images));
  earlier_.phase.clear();
}

}  // namespace petlab::engine
