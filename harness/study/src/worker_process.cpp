#include "worker_process.hpp"

#include "petlab/base/numbers.hpp"
#include "petlab/base/text.hpp"
#include "petlab/study/rank_meeting.hpp"
#include "petlab/study/worker.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
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

/// What a rank needs at most to notice that another one is gone.
constexpr std::chrono::seconds kRankGrace{10};

/// What the process of a run has in its environment beside the parent's own. Threads that wait for
/// others look 10,000 times, some ten microseconds, and then sleep: with libgomp's default they
/// spin for milliseconds, in time that other processes of a shared machine need, and this run with
/// them (harness/engine/README.md has the figures). What the user says of it holds.
std::vector<std::string> child_environment(const std::string& threads, const std::string& mark) {
  std::vector<std::string> environment = {"OMP_NUM_THREADS=" + threads,
                                          "MKL_NUM_THREADS=" + threads, mark};
  if (std::getenv("OMP_WAIT_POLICY") == nullptr && std::getenv("GOMP_SPINCOUNT") == nullptr)
    environment.emplace_back("GOMP_SPINCOUNT=10000");
  return environment;
}

ChildProcess start_child(const Job& job, const RunnerOptions& options, const WorkerPlace& place,
                         const std::filesystem::path& log, const engine::RankPlace& rank) {
  const WorkerRequest order{
      job, options.store, place.store, static_cast<int>(::getpid()), options.detached, rank};
  if (options.ranks != nullptr && rank.rank == 0) options.ranks->publish(order);
  const std::string threads = std::to_string(job.spec.threads);
  const CpuScope scope(place.slot < options.cpus.size() ? options.cpus[place.slot] : CpuSet{});
  return {{options.program.string(), kComputeCommand},
          child_environment(threads, place.mark),
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
      log_(log_of_rank(options.logs, job, 0)),
      start_(Clock::now()),
      rank0_(options.ranks != nullptr ? options.ranks->next_run() : engine::RankPlace{}),
      child_(start_child(job, options, place, log_, rank0_)) {
  if (options.ranks == nullptr || !options.ranks->starts_all()) return;
  engine::RankPlace rank = rank0_;
  while (++rank.rank < rank.size) {
    logs_of_others_.push_back(log_of_rank(options.logs, job, rank.rank));
    others_.push_back(start_child(job, options, place, logs_of_others_.back(), rank));
  }
}

std::vector<pid_t> WorkerProcess::pids() const {
  std::vector<pid_t> all{child_.pid()};
  for (const ChildProcess& other : others_)
    all.push_back(other.pid());
  return all;
}

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
  bool ended = child_.ended();
  for (std::string& line : child_.lines())
    handle_line(std::move(line), observer);
  if (!others_.empty()) end_with_lost_rank();
  for (ChildProcess& other : others_) {
    (void)other.lines();
    ended = other.ended() && ended;
  }
  if (!ended && !killed_) kill_beyond_limits();
  return ended;
}

void WorkerProcess::end_with_lost_rank() {
  if (lost_) {
    if (Clock::now() > *lost_ + kRankGrace) kill_all();
    return;
  }
  bool is_lost = child_.ended();
  for (const ChildProcess& other : others_)
    is_lost = is_lost || other.ended_badly();
  if (is_lost) lost_ = Clock::now();
}

void WorkerProcess::kill_all() {
  child_.kill(SIGKILL);
  for (const ChildProcess& other : others_)
    other.kill(SIGKILL);
}

void WorkerProcess::kill_beyond_limits() {
  std::int64_t memory = memory_limit_ ? child_.resident_bytes() : 0;
  for (const ChildProcess& other : others_)
    memory += memory_limit_ ? other.resident_bytes() : 0;

  if (timeout_ && Clock::now() - start_ > *timeout_) {
    killed_.emplace(base::ErrorKind::config, "the run took longer than the limit of " +
                                                 std::to_string(timeout_->count()) +
                                                 " s (--run-timeout)");
  } else if (memory_limit_ && memory > *memory_limit_) {
    killed_.emplace(base::ErrorKind::device, "the run held more memory than the limit of " +
                                                 std::to_string(*memory_limit_ / (1 << 20)) +
                                                 " MiB (--memory-limit)");
  }
  if (killed_) kill_all();
}

WorkerEnd WorkerProcess::end() {
  const int status = child_.wait();
  WorkerEnd end{reason(status, " and without a result", log_), reason(status, "", log_).what(),
                WIFEXITED(status) && WEXITSTATUS(status) <= 1,
                can_be_stopped_ && !killed_ && was_asked_to_stop(status)};
  // Those that a lost rank takes with it end with kStoppedExit: another end comes first.
  const auto lose = [&](std::size_t rank, int how, const std::filesystem::path& log) {
    const bool is_stopped = WIFEXITED(how) && WEXITSTATUS(how) == kStoppedExit;
    if (killed_ || (WIFEXITED(how) && WEXITSTATUS(how) <= 1) ||
        (is_stopped && !end.lost_rank.empty()))
      return;
    if (end.lost_rank.empty() || !is_stopped)
      end.lost_rank = "rank " + std::to_string(rank) + " of " + std::to_string(rank0_.size) + ": " +
                      reason(how, "", log).what();
  };
  std::error_code ignored;
  if (rank0_.size > 1 && !end.was_stopped) lose(0, status, log_);
  for (std::size_t other = 0; other < others_.size(); ++other) {
    lose(other + 1, others_[other].wait(), logs_of_others_[other]);
    if (std::filesystem::file_size(logs_of_others_[other], ignored) == 0)
      std::filesystem::remove(logs_of_others_[other], ignored);
  }
  if (end.was_stopped) end.lost_rank.clear();  // rank 0 was asked to, and the others follow it
  if (std::filesystem::file_size(log_, ignored) == 0) std::filesystem::remove(log_, ignored);
  return end;
}

base::Error WorkerProcess::reason(int status, const char* lacking,
                                  const std::filesystem::path& log) const {
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
  const std::string said = last_line(log);
  return {kind, text + (said.empty() ? "" : "; its last words: " + said)};
}

void WorkerProcess::pause() {
  paused_ = Clock::now();
  child_.kill(SIGSTOP);
  for (const ChildProcess& other : others_)
    other.kill(SIGSTOP);
}

void WorkerProcess::go_on() {
  start_ += Clock::now() - paused_;
  child_.kill(SIGCONT);
  for (const ChildProcess& other : others_)
    other.kill(SIGCONT);
}

}  // namespace petlab::study
