#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::study {

/// What a job asks of a Slurm cluster. Decides no result. Texts as the entries of
/// cluster_setting_table() take them; "": not asked for.
struct ClusterSettings {
  std::string partition, account, qos;
  std::string time;
  std::string gpus;
  std::string cpus = "1";
  std::string memory;
  std::string constraint;
  std::string setup;
  std::string extra;
};

/// All that petlab knows of one of them: the file, `petlab submit --help`, the table of
/// harness/study/CLUSTER.md and the call of sbatch follow from it.
struct ClusterSettingEntry {
  const char* name;
  std::string ClusterSettings::* member;
  const char* help;
  const char* values;                          ///< "a word", "[TYPE:]NUMBER"
  bool (*is_valid)(const std::string& value);  ///< of a value that is not empty
  const char* sbatch;  ///< option that the value stands behind; "": job.sh or the call itself
};
[[nodiscard]] const std::vector<ClusterSettingEntry>& cluster_setting_table();

/// The section [cluster] of an INI file. Throws Error(config) naming file and line for another
/// section, an unknown key (with a suggestion) or a value that its entry does not take.
[[nodiscard]] ClusterSettings read_cluster_settings(const std::filesystem::path& file);

/// The table of the keys, as Markdown.
[[nodiscard]] std::string cluster_key_table();

}  // namespace petlab::study
