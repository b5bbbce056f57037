#include "worker_process.hpp"

#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/study/worker.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <system_error>
#include <utility>

namespace petlab::study {
namespace {

/// The first word of a line; the rest stays in `line`.
std::string take_word(std::string& line) {
  const auto blank = line.find(' ');
  std::string word = line.substr(0, blank);
  line = blank == std::string::npos ? "" : line.substr(blank + 1);
  return word;
}

std::int64_t to_integer(const std::string& text) {
  return base::parse_number<std::int64_t>(text).value_or(0);
}

/// Of the end of the file: it may be of any length.
std::string last_line(const std::filesystem::path& file) {
  constexpr std::uintmax_t kLooked = 8192;
  std::error_code gone;
  const std::uintmax_t size = std::filesystem::file_size(file, gone);
  std::ifstream in(file, std::ios::binary);
  if (gone || !in) return "";
  in.seekg(static_cast<std::streamoff>(size > kLooked ? size - kLooked : 0));
  std::string text(kLooked, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  std::istringstream lines(text);
  std::string line, last;
  while (std::getline(lines, line))
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  return base::message_line(last, 200);
}

/// Before the child has its handler, the signal ends it.
bool was_asked_to_stop(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) == kStoppedExit
                           : WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
}

ChildProcess start_child(const Job& job, const RunnerOptions& options, const WorkerPlace& place,
                         const std::filesystem::path& log) {
  const WorkerRequest order{job, options.store, place.store, static_cast<int>(::getpid()),
                            options.detached};
  const std::string threads = std::to_string(job.spec.threads);
  const CpuScope scope(place.slot < options.cpus.size() ? options.cpus[place.slot] : CpuSet{});
  return {{options.program.string(), kComputeCommand},
          {"OMP_NUM_THREADS=" + threads, "MKL_NUM_THREADS=" + threads, place.mark},
          to_json(order),
          log};
}

}  // namespace

WorkerProcess::WorkerProcess(std::size_t index, const Job& job, const RunnerOptions& options,
                             const WorkerPlace& place)
    : index_(index),
      slot_(place.slot),
      timeout_(options.run_timeout),
      memory_limit_(options.memory_limit),
      can_be_stopped_(options.detached.has_value()),
      log_(options.logs / job.spec.study /
           (job.spec.label + ".seed" + std::to_string(job.spec.seed) + ".log")),
      start_(Clock::now()),
      child_(start_child(job, options, place, log_)) {}

double WorkerProcess::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

// What a child says is for people alone, and may be anything: a plugin can write there too.
void WorkerProcess::handle_line(std::string line, StudyObserver& observer) {
  constexpr std::size_t kWord = 40, kDetail = 200;
  const std::string word = take_word(line);
  if (word == "phase") {
    const std::string name = take_word(line);
    observer.phase(index_, base::message_line(name, kWord), to_integer(line));
  } else if (word == "update") {
    const std::string done = take_word(line);
    observer.update(index_, to_integer(done), base::message_line(line, kDetail));
  } else if (word == "note") {
    pass_on(line, observer);
  }
}

void WorkerProcess::pass_on(const std::string& note, StudyObserver& observer) {
  constexpr int kMostNotes = 100;
  if (++notes_ <= kMostNotes)
    observer.note(index_, base::message_line(note));
  else if (notes_ == kMostNotes + 1)
    observer.note(index_,
                  "says more than " + std::to_string(kMostNotes) + " notes; the rest is left out");
}

bool WorkerProcess::listen(StudyObserver& observer) {
  // Asked first: what the child said before its end is in the pipe then.
  const bool ended = child_.ended();
  for (std::string& line : child_.lines())
    handle_line(std::move(line), observer);
  if (!ended && !killed_) kill_beyond_limits();
  return ended;
}

void WorkerProcess::kill_beyond_limits() {
  if (timeout_ && Clock::now() - start_ > *timeout_) {
    killed_.emplace(base::ErrorKind::config, "the run took longer than the limit of " +
                                                 std::to_string(timeout_->count()) +
                                                 " s (--run-timeout)");
  } else if (memory_limit_ && child_.resident_bytes() > *memory_limit_) {
    killed_.emplace(base::ErrorKind::device, "the run held more memory than the limit of " +
                                                 std::to_string(*memory_limit_ / (1 << 20)) +
                                                 " MiB (--memory-limit)");
  }
  if (killed_) child_.kill(SIGKILL);
}

WorkerEnd WorkerProcess::end() {
  const int status = child_.wait();
  WorkerEnd end{reason(status, " and without a result"), reason(status, "").what(),
                WIFEXITED(status) && WEXITSTATUS(status) <= 1,
                can_be_stopped_ && !killed_ && was_asked_to_stop(status)};
  std::error_code ignored;
  if (std::filesystem::file_size(log_, ignored) == 0) std::filesystem::remove(log_, ignored);
  return end;
}

base::Error WorkerProcess::reason(int status, const char* lacking) const {
  if (killed_) return *killed_;
  std::string text = "the worker ended ";
  auto kind = base::ErrorKind::plugin;
  if (WIFSIGNALED(status)) {
    text += "by " + signal_text(WTERMSIG(status));
    if (WTERMSIG(status) == SIGKILL) {
      kind = base::ErrorKind::device;
      text += "; the system does so when memory runs out";
    }
  } else {
    text += "with exit code " + std::to_string(WEXITSTATUS(status)) + lacking;
    kind = base::ErrorKind::internal;
  }
  const std::string said = last_line(log_);
  return {kind, text + (said.empty() ? "" : "; its last words: " + said)};
}

void WorkerProcess::pause() {
  paused_ = Clock::now();
  child_.kill(SIGSTOP);
}

void WorkerProcess::go_on() {
  start_ += Clock::now() - paused_;
  child_.kill(SIGCONT);
}

}  // namespace petlab::study
