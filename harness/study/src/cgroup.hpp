#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {

/// The folders of a process's cgroup (version 2) under `mount`, from its own to the topmost. `self`
/// is the text of /proc/PID/cgroup. Empty where it names none.
[[nodiscard]] std::vector<std::filesystem::path> cgroup_folders(const std::filesystem::path& mount,
                                                                const std::string& self);

/// CPUs that the strictest cpu.max of these folders leaves ("200000 100000" is 2); nothing where
/// none limits them.
[[nodiscard]] std::optional<double> cpu_quota(const std::vector<std::filesystem::path>& folders);

}  // namespace petlab::study
