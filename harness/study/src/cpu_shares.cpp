#include "petlab/study/cpu_shares.hpp"

#include "cgroup.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <limits>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>

namespace petlab::study {
namespace {

/// A set of the size that the kernel uses, which may be larger than cpu_set_t's 1,024 CPUs.
class KernelSet {
 public:
  explicit KernelSet(std::size_t cpus) : count_(cpus), set_(CPU_ALLOC(cpus), &free_set) {
    CPU_ZERO_S(bytes(), set_.get());
  }
  [[nodiscard]] cpu_set_t* get() const { return set_.get(); }
  [[nodiscard]] std::size_t bytes() const { return CPU_ALLOC_SIZE(count_); }

 private:
  static void free_set(cpu_set_t* set) { CPU_FREE(set); }

  std::size_t count_;
  std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set_;
};

/// Of the calling thread, ascending; empty when the system does not tell.
CpuSet affinity() {
  constexpr std::size_t kMax = 1U << 20;
  for (std::size_t cpus = 1024; cpus <= kMax; cpus *= 2) {
    const KernelSet set(cpus);
    if (::sched_getaffinity(/*pid=*/0, set.bytes(), set.get()) == 0) {
      CpuSet result;
      for (std::size_t cpu = 0; cpu < cpus; ++cpu)
        if (CPU_ISSET_S(cpu, set.bytes(), set.get())) result.push_back(static_cast<int>(cpu));
      return result;
    }
    if (errno != EINVAL) break;  // EINVAL: the kernel's set is larger
  }
  return {};
}

bool restrict_to(const CpuSet& cpus) {
  const int last = *std::max_element(cpus.begin(), cpus.end());
  const KernelSet set(static_cast<std::size_t>(std::max(1024, last + 1)));
  for (const int cpu : cpus)
    CPU_SET_S(static_cast<std::size_t>(cpu), set.bytes(), set.get());
  return ::sched_setaffinity(/*pid=*/0, set.bytes(), set.get()) == 0;
}

int number_in(const std::filesystem::path& file) {
  int number = std::numeric_limits<int>::max();
  std::ifstream(file) >> number;
  return number;
}

}  // namespace

CpuSet by_core(CpuSet cpus, const std::filesystem::path& system) {
  using Place = std::tuple<int, int, int>;  // socket, core, CPU
  std::vector<Place> places;
  for (const int cpu : cpus) {
    const auto topology = system / ("cpu" + std::to_string(cpu)) / "topology";
    places.emplace_back(number_in(topology / "physical_package_id"),
                        number_in(topology / "core_id"), cpu);
  }
  std::sort(places.begin(), places.end());
  std::transform(places.begin(), places.end(), cpus.begin(),
                 [](const Place& place) { return std::get<2>(place); });
  return cpus;
}

CpuSet allowed_cpus() {
  CpuSet cpus = affinity();
  if (cpus.empty())
    for (int cpu = 0; cpu < std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
         ++cpu)
      cpus.push_back(cpu);
  return by_core(std::move(cpus), "/sys/devices/system/cpu");
}

int usable_cpus() {
  const auto allowed = static_cast<int>(allowed_cpus().size());
  std::ostringstream self;
  self << std::ifstream("/proc/self/cgroup").rdbuf();
  const auto quota = cpu_quota(cgroup_folders("/sys/fs/cgroup", self.str()));
  return quota && *quota < allowed ? std::max(1, static_cast<int>(*quota + 0.5)) : allowed;
}

std::vector<CpuSet> share_cpus(const CpuSet& cpus, int workers, int threads) {
  const auto parts = static_cast<std::size_t>(workers);
  if (parts == 1 || cpus.size() < parts * static_cast<std::size_t>(threads)) return {};
  std::vector<CpuSet> shares;
  for (std::size_t part = 0; part < parts; ++part) {
    const auto begin = cpus.begin() + static_cast<std::ptrdiff_t>(cpus.size() * part / parts);
    const auto end = cpus.begin() + static_cast<std::ptrdiff_t>(cpus.size() * (part + 1) / parts);
    shares.emplace_back(begin, end);
  }
  return shares;
}

CpuScope::CpuScope(const CpuSet& cpus) {
  if (cpus.empty()) return;
  CpuSet before = affinity();
  if (!before.empty() && restrict_to(cpus)) before_ = std::move(before);
}

CpuScope::~CpuScope() {
  if (!before_.empty()) restrict_to(before_);
}

}  // namespace petlab::study
