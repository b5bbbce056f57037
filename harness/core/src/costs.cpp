#include "petlab/core/costs.hpp"

#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <sys/resource.h>

#include <utility>

namespace petlab::core {
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
  phase_ = phase;
  if (!device_.is_cpu()) {
    auto* allocator = c10::getDeviceAllocator(device_.type());
    if (allocator->initialized()) allocator->resetPeakStats(device_.index());
  }
  start_ = Clock::now();
}

void CostLog::end(std::int64_t images) {
  if (phase_.empty()) return;
  wait_for(device_);
  const std::chrono::duration<double> seconds = Clock::now() - start_;
  results::PhaseCost& cost = costs_.emplace_back();
  cost.phase = std::exchange(phase_, "");
  cost.seconds = seconds.count();
  cost.images = images;
  cost.peak_host_bytes = peak_host_bytes();
  if (!device_.is_cpu()) {
    auto* allocator = c10::getDeviceAllocator(device_.type());
    if (allocator->initialized()) {
      cost.peak_device_bytes =
          allocator->getDeviceStats(device_.index()).allocated_bytes[kAggregate].peak;
    }
  }
}

}  // namespace petlab::core
