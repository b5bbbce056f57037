#include "petlab/study/submission.hpp"

#include "job_script.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;

/// A job array and the task that its task 0 is.
struct SubmittedArray {
  std::string job;
  std::int64_t first = 0;
};

fs::path arrays_file(const OrderFolder& folder) {
  return folder.state() / "arrays";
}

std::vector<SubmittedArray> arrays_of(const OrderFolder& folder) {
  std::vector<SubmittedArray> arrays;
  std::ifstream in(arrays_file(folder));
  for (SubmittedArray one; in >> one.job >> one.first;)
    arrays.push_back(one);
  return arrays;
}

QueuedRun::State state_of(const QueueEntry& entry) {
  if (!entry.is_active())
    return entry.was_cancelled() ? QueuedRun::State::cancelled : QueuedRun::State::lost;
  return entry.is_running() ? QueuedRun::State::running : QueuedRun::State::queued;
}

/// What the queue says of each task of a folder; nothing of those that it has forgotten.
std::map<std::size_t, QueueEntry> entries_of(const OrderFolder& folder,
                                             const std::vector<QueueEntry>& queue) {
  std::map<std::string, std::int64_t> first_of;  // by job
  for (const SubmittedArray& array : arrays_of(folder))
    first_of[array.job] = array.first;
  std::map<std::size_t, QueueEntry> entries;
  for (const QueueEntry& entry : queue)
    if (const auto first = first_of.find(entry.job); first != first_of.end())
      entries[static_cast<std::size_t>(first->second + entry.task)] = entry;
  return entries;
}

void keep_furthest(std::map<std::string, QueuedRun>& runs, const std::string& run,
                   const QueuedRun& found) {
  const auto [place, is_new] = runs.emplace(run, found);
  if (!is_new && found.state >= place->second.state) place->second = found;
}

}  // namespace

std::vector<std::vector<std::size_t>> bundle(const std::vector<std::optional<double>>& seconds,
                                             double minutes) {
  std::vector<std::vector<std::size_t>> tasks;
  double left = 0.0;  // of the last task's time
  for (std::size_t job = 0; job < seconds.size(); ++job) {
    const bool fits = seconds[job] && *seconds[job] <= left && !tasks.empty();
    if (!fits) {
      tasks.emplace_back();
      left = seconds[job] ? 60.0 * minutes : 0.0;
    }
    tasks.back().push_back(job);
    left -= seconds[job].value_or(0.0);
  }
  return tasks;
}

SubmissionText submission_text(const fs::path& folder, std::size_t tasks,
                               const SubmitOptions& options, std::int64_t largest_array) {
  SubmissionText text;
  text.script = job_script(folder, options.program, options.settings.setup);
  const std::vector<std::string> common = sbatch_options(options.settings, folder, options.study);
  const auto most = static_cast<std::size_t>(std::max<std::int64_t>(1, largest_array));
  for (std::size_t first = 0; first < tasks; first += most) {
    std::vector<std::string> call = common;
    call.push_back("--array=0-" + std::to_string(std::min(most, tasks - first) - 1) +
                   (options.at_once ? "%" + std::to_string(*options.at_once) : ""));
    call.push_back((folder / "job.sh").string());
    call.push_back(std::to_string(first));
    text.calls.push_back(std::move(call));
  }
  return text;
}

std::vector<std::string> submit_orders(const OrderFolder& folder, const SubmitOptions& options) {
  std::vector<std::string> jobs;
  std::string lines;
  try {
    const SubmissionText text =
        submission_text(folder.path(), folder.tasks().size(), options, slurm::largest_array());
    base::write_file(folder.path() / "job.sh", text.script, {.failure = base::ErrorKind::store});
    for (const std::vector<std::string>& call : text.calls) {
      jobs.push_back(slurm::submit(call));
      lines += jobs.back() + " " + call.back() + "\n";
      base::write_file(arrays_file(folder), lines, {.failure = base::ErrorKind::store});
    }
  } catch (const base::Error&) {
    std::error_code ignored;
    if (jobs.empty()) fs::remove_all(folder.path(), ignored);
    throw;
  }
  return jobs;
}

std::map<std::string, QueuedRun> queued_runs(const fs::path& store,
                                             const std::vector<QueueEntry>& queue) {
  std::map<std::string, QueuedRun> runs;
  for (const OrderFolder& folder : order_folders(store)) {
    if (arrays_of(folder).empty()) continue;
    std::set<std::string> waiting;
    for (const fs::path& shard : folder.shards())
      waiting.insert(shard.filename().string().substr(0, 64));
    // Of the spool listed once: a shard that came meanwhile would be in one of two lists.
    const std::set<std::string> over = folder.collected();
    const std::map<std::size_t, QueueEntry> entries = entries_of(folder, queue);
    const std::vector<std::vector<std::size_t>> tasks = folder.tasks();
    for (std::size_t task = 0; task < tasks.size(); ++task) {
      QueuedRun found;
      if (const auto entry = entries.find(task); entry != entries.end())
        found = {
            state_of(entry->second), entry->second.job + "_" + std::to_string(entry->second.task),
            entry->second.reason,    entry->second.node,
            entry->second.since,     {}};
      bool is_first = true;  // of the task's orders that are not over: it is the one at work
      for (const std::size_t order : tasks[task]) {
        const std::string& run = folder.runs()[order];
        if (waiting.count(run) > 0) {
          keep_furthest(runs, run, {.state = QueuedRun::State::published});
        } else if (over.count(run) == 0) {
          QueuedRun mine = found;
          if (mine.state == QueuedRun::State::running && !is_first)
            mine.state = QueuedRun::State::queued;
          if (mine.state == QueuedRun::State::running) mine.progress = folder.progress(run);
          keep_furthest(runs, run, mine);
          is_first = false;
        }
      }
    }
  }
  return runs;
}

bool has_open_orders(const fs::path& store) {
  for (const OrderFolder& folder : order_folders(store))
    if (!arrays_of(folder).empty() && folder.results().size() < folder.runs().size()) return true;
  return false;
}

SubmitLock::SubmitLock(const fs::path& store) {
  const fs::path place = orders_place(store);
  std::error_code failed;
  fs::create_directories(place, failed);
  const fs::path file = place / "lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  int outcome = descriptor_ < 0 ? -1 : 0;
  while (descriptor_ >= 0 && (outcome = ::flock(descriptor_, LOCK_EX)) != 0 && errno == EINTR) {
  }
  if (outcome != 0)
    throw base::Error(base::ErrorKind::store,
                      "'" + base::printable(file) + "' cannot be locked: " + std::strerror(errno));
}

SubmitLock::~SubmitLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace petlab::study
