#pragma once

#include "petlab/study/cluster_settings.hpp"
#include "petlab/study/order_folder.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace petlab::study {

/// What Slurm runs as a task of an array: the orders of line FIRST + SLURM_ARRAY_TASK_ID of
/// JOBS/tasks, one behind the other. FIRST is the script's argument.
[[nodiscard]] std::string job_script(const std::filesystem::path& jobs,
                                     const std::filesystem::path& program,
                                     const std::string& setup);

/// Options of sbatch, but for the array's.
[[nodiscard]] std::vector<std::string> sbatch_options(const ClusterSettings& settings,
                                                      const std::filesystem::path& jobs,
                                                      const std::string& study);

}  // namespace petlab::study
