#include "petlab/study/slurm.hpp"

#include "petlab/base/command_output.hpp"
#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace petlab::study {
namespace {

/// States after which nothing more happens. What is in none of them is active: Slurm has more
/// states on the way than at the end, and newer ones have new ones.
constexpr std::array<std::string_view, 10> kEnded = {
    "BOOT_FAIL", "CANCELLED",     "COMPLETED", "DEADLINE", "FAILED",
    "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED", "REVOKED",  "TIMEOUT"};

std::string checked(const std::vector<std::string>& command) {
  const base::CommandOutput output = base::run_command(command);
  if (output.code == 0) return output.out;
  if (output.code == 127)
    throw SchedulerError("there is no " + command.front() +
                         " here: petlab submits from a host that has the commands of Slurm");
  throw SchedulerError(
      command.front() +
      " failed: " + base::message_line(output.err.empty() ? "it said nothing" : output.err, 500));
}

}  // namespace

bool QueueEntry::is_active() const {
  return std::find(kEnded.begin(), kEnded.end(), state) == kEnded.end();
}

bool QueueEntry::is_running() const {
  return state == "RUNNING" || state == "COMPLETING" || state == "SUSPENDED" ||
         state == "STOPPED" || state == "SIGNALING";
}

namespace slurm {

std::vector<QueueEntry> queue() {
  std::istringstream lines(
      checked({"squeue", "--me", "-h", "-r", "-t", "all", "-o", "%i|%T|%N|%S|%r"}));
  std::vector<QueueEntry> entries;
  for (std::string line; std::getline(lines, line);) {
    std::array<std::string, 5> parts;
    std::istringstream fields(line);
    for (std::string& part : parts)
      std::getline(fields, part, '|');
    const auto line_at = parts[0].find('_');
    if (line_at == std::string::npos) continue;  // a job of another kind
    const auto task = base::parse_number<std::int64_t>(parts[0].substr(line_at + 1));
    if (!task) continue;
    for (std::string& part : parts)
      part = base::message_line(part, 200);
    QueueEntry& entry = entries.emplace_back();
    entry = {parts[0].substr(0, line_at), *task, parts[1], parts[4], parts[2], parts[3]};
    if (entry.reason == "None") entry.reason.clear();
  }
  return entries;
}

std::int64_t largest_array() {
  std::istringstream lines(checked({"scontrol", "show", "config"}));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, sign;
    std::int64_t value = 0;
    if (words >> name >> sign >> value && name == "MaxArraySize") return value;
  }
  throw SchedulerError("scontrol show config names no MaxArraySize");
}

std::string submit(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {"sbatch", "--parsable"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const std::string said = checked(command);
  const std::string job = said.substr(0, said.find_first_of(";\n"));
  if (job.empty() || job.find_first_not_of("0123456789") != std::string::npos)
    throw SchedulerError("sbatch said '" + base::message_line(said, 200) +
                         "', expected the number of a job");
  return job;
}

void cancel(const std::vector<std::string>& jobs) {
  if (jobs.empty()) return;
  std::vector<std::string> command = {"scancel", "--quiet"};
  command.insert(command.end(), jobs.begin(), jobs.end());
  (void)checked(command);
}

}  // namespace slurm
}  // namespace petlab::study
