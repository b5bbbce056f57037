#include "job_script.hpp"

#include <sstream>

namespace petlab::study {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text)
    result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

// USR2 comes two minutes before the time limit (--signal): the run writes its checkpoint, and the
// task goes back into the queue. On TERM (cancelled, preempted, node drained) Slurm decides what
// follows: a task that requeued itself then would come back after scancel. A run that ended with 75
// without a signal asks to be called again, on another node perhaps. Before petlab has its handler,
// TERM ends it with 143, which means the same.
constexpr const char* kLoop = R"bash(
line=$((${1:-0} + SLURM_ARRAY_TASK_ID + 1))
terminated=0 limit=0 child=
trap 'terminated=1; [ -z "$child" ] || kill -TERM "$child"' TERM
trap 'limit=1; [ -z "$child" ] || kill -TERM "$child"' USR2
say() { echo "$(date -u +%FT%TZ) $*"; }
say "task $line of $jobs on ${SLURMD_NODENAME:-?}, restart ${SLURM_RESTART_COUNT:-0}, GPU ${CUDA_VISIBLE_DEVICES:-none}"
result=0
for order in $(sed -n "${line}p" "$jobs/tasks"); do
  code=75
  if [ "$terminated$limit" = 00 ]; then
    "$program" worker "$jobs" "$order" & child=$!
    wait "$child"; code=$?
    while kill -0 "$child" 2> /dev/null; do wait "$child"; code=$?; done
    child=
  fi
  [ "$code" != 143 ] || code=75
  say "order $order ended with $code"
  case $code in
    0) ;;
    75) result=75; break ;;
    *) result=$code ;;
  esac
done
if [ "$result" = 75 ] && [ "$terminated" = 0 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" || say "it cannot be requeued"
fi
exit "$result"
)bash";

}  // namespace

std::string job_script(const std::filesystem::path& jobs, const std::filesystem::path& program,
                       const std::string& setup) {
  return "#!/bin/bash\n" + setup + (setup.empty() ? "" : "\n") + "jobs=" + quoted(jobs.string()) +
         " program=" + quoted(program.string()) + kLoop;
}

std::vector<std::string> sbatch_options(const ClusterSettings& settings,
                                        const std::filesystem::path& jobs,
                                        const std::string& study) {
  std::string output;  // sbatch reads % in it as the beginning of a field
  for (const char c : (jobs / "logs").string())
    output += c == '%' ? std::string("%%") : std::string(1, c);
  std::vector<std::string> options = {"--job-name=petlab-" + study,
                                      "--output=" + output + "/%A_%a.log",
                                      "--open-mode=append",
                                      "--requeue",
                                      "--signal=B:USR2@120",
                                      "--nodes=1",
                                      "--ntasks=1"};
  for (const ClusterSettingEntry& entry : cluster_setting_table()) {
    const std::string& value = settings.*entry.member;
    const bool no_gpus = value == "0" && entry.member == &ClusterSettings::gpus;
    if (*entry.sbatch != '\0' && !value.empty() && !no_gpus)
      options.push_back(entry.sbatch + value);
  }
  std::istringstream words(settings.extra);
  for (std::string word; words >> word;)
    options.push_back(word);
  return options;
}

}  // namespace petlab::study
