#pragma once

#include <filesystem>
#include <vector>

namespace petlab::study {

/// CPUs by the system's numbers.
using CpuSet = std::vector<int>;

/// The CPUs that this process may use (taskset, containers and batch systems give it fewer than the
/// machine has), ordered by socket, then core, so that neighbours in the list share a core or a
/// cache. Never empty.
[[nodiscard]] CpuSet allowed_cpus();

/// How many CPUs' time this process may use: its allowed CPUs, or fewer where a cgroup limits them
/// (a container with --cpus 2 still sees all CPUs). Never below 1.
[[nodiscard]] int usable_cpus();

/// `cpus` in the order of socket, core and number that the topology files under `system`
/// (/sys/devices/system/cpu) tell; in the order of their numbers where there are none.
[[nodiscard]] CpuSet by_core(CpuSet cpus, const std::filesystem::path& system);

/// One part of the CPUs for each worker: no CPU in two parts, sizes that differ by one at most,
/// neighbours together, none left over, so that another program that shares the same CPUs in the
/// same way meets all of them evenly. Empty when there are fewer CPUs than workers times threads,
/// or when there is one worker, which has them all anyway. Both counts are at least 1.
[[nodiscard]] std::vector<CpuSet> share_cpus(const CpuSet& cpus, int workers, int threads);

/// Restricts the calling thread, and the processes that it starts from now on, to these CPUs until
/// the end of the scope. Does nothing with an empty set, or when the system says no.
class CpuScope {
 public:
  explicit CpuScope(const CpuSet& cpus);
  ~CpuScope();
  CpuScope(const CpuScope&) = delete;
  CpuScope& operator=(const CpuScope&) = delete;

 private:
  CpuSet before_;  ///< empty when nothing was changed
};

}  // namespace petlab::study
