#include "petlab/study/cluster_settings.hpp"

#include "ini_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <regex>
#include <sstream>

namespace petlab::study {
namespace {

/// petlab keeps two minutes of a job for its checkpoint (job_script.cpp).
constexpr std::int64_t kShortestMinutes = 5;

bool is_word(const std::string& value) {
  return base::is_plain_text(value) && value.find(' ') == std::string::npos;
}

bool is_text(const std::string& value) {
  return base::is_plain_text(value);
}

bool fits(const std::string& value, const char* pattern) {
  return std::regex_match(value, std::regex(pattern));
}

/// Minutes of a time limit as sbatch reads it; nothing for another text.
std::optional<std::int64_t> minutes_of(const std::string& value) {
  // MM, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS
  static const std::regex pattern("(?:(\\d{1,4})-)?(\\d{1,6})(?::(\\d{1,2}))?(?::(\\d{1,2}))?");
  std::smatch parts;
  if (!std::regex_match(value, parts, pattern)) return std::nullopt;
  const auto number = [&](std::size_t i) {
    return base::parse_number<std::int64_t>(parts[i].str()).value_or(0);
  };
  if (number(3) > 59 || number(4) > 59) return std::nullopt;
  if (parts[1].matched && number(2) > 23) return std::nullopt;
  if (parts[1].matched) return (number(1) * 24 + number(2)) * 60 + number(3);
  return parts[4].matched ? number(2) * 60 + number(3) : number(2);
}

bool is_time(const std::string& value) {
  const auto minutes = minutes_of(value);
  return minutes && *minutes >= kShortestMinutes;
}

bool is_count(const std::string& value) {
  return fits(value, "[1-9][0-9]{0,3}");
}

bool is_gpus(const std::string& value) {
  return fits(value, "[0-9]{1,2}|[A-Za-z0-9_.-]+:(0?[1-9]|[1-9][0-9])");
}

bool is_memory(const std::string& value) {
  return fits(value, "[1-9][0-9]{0,8}[KMGT]?");
}

bool are_options(const std::string& value) {
  std::istringstream words(value);
  bool all = base::is_plain_text(value);
  for (std::string word; words >> word;)
    all = all && word.starts_with("--") && word.size() > 2;
  return all;
}

}  // namespace

const std::vector<ClusterSettingEntry>& cluster_setting_table() {
  using S = ClusterSettings;
  static const std::vector<ClusterSettingEntry> table = {
      {"partition", &S::partition, "queue of the jobs", "a word", is_word, "--partition="},
      {"account", &S::account, "whom the time is charged to", "a word", is_word, "--account="},
      {"qos", &S::qos, "quality of service", "a word", is_word, "--qos="},
      {"time", &S::time,
       "time limit of a job; a run that takes longer goes on in the next one from its checkpoint",
       "MINUTES, HH:MM:SS or D-HH:MM:SS, at least 5 minutes, with HH up to 23 behind days, MM and "
       "SS up to 59",
       is_time, "--time="},
      {"gpus", &S::gpus, "GPUs of a job; else one where the study's device is cuda",
       "NUMBER, or TYPE:NUMBER with at least 1", is_gpus, "--gres=gpu:"},
      {"cpus", &S::cpus, "CPUs of a job, and threads of its runs", "NUMBER from 1 to 9999",
       is_count, "--cpus-per-task="},
      {"memory", &S::memory, "memory of a job", "NUMBER with K, M, G or T", is_memory, "--mem="},
      {"constraint", &S::constraint, "features that a node must have, as sbatch combines them",
       "a word", is_word, "--constraint="},
      {"setup", &S::setup, "a line of shell before petlab, e.g. \"module load cuda/12.4\"", "text",
       is_text, ""},
      {"extra", &S::extra, "more options of sbatch", "words that begin with --", are_options, ""},
  };
  return table;
}

ClusterSettings read_cluster_settings(const std::filesystem::path& file) {
  const IniFile ini = read_ini(file);
  const std::string name = file.filename().string();
  for (const std::string& section : ini.sections)
    if (section != "cluster")
      base::throw_config_error(name + ": section [" + section + "], expected [cluster] alone");
  std::vector<std::string> known;
  for (const ClusterSettingEntry& entry : cluster_setting_table())
    known.emplace_back(entry.name);
  ClusterSettings settings;
  for (const Setting& setting : ini.settings) {
    const std::string key = setting.key.substr(setting.key.find('.') + 1);
    const auto entry = std::find(known.begin(), known.end(), key);
    if (entry == known.end())
      base::throw_config_error(setting.origin + ": unknown key '" + key + "'" +
                               base::did_you_mean(key, known));
    const ClusterSettingEntry& one =
        cluster_setting_table()[static_cast<std::size_t>(entry - known.begin())];
    if (!setting.value.empty() && !one.is_valid(setting.value))
      base::throw_config_error(setting.origin + ": '" + key + "' is '" + setting.value +
                               "', expected " + one.values);
    settings.*one.member = setting.value;
  }
  if (settings.cpus.empty()) settings.cpus = ClusterSettings().cpus;
  return settings;
}

std::string cluster_key_table() {
  std::string text = "| key | value | otherwise |\n|---|---|---|\n";
  const ClusterSettings defaults;
  for (const ClusterSettingEntry& entry : cluster_setting_table()) {
    const std::string& otherwise = defaults.*entry.member;
    text += "| `" + std::string(entry.name) + "` | " + entry.help + " (" + entry.values + ") | " +
            (otherwise.empty() ? "" : "`" + otherwise + "` ") + "|\n";
  }
  return text;
}

}  // namespace petlab::study
