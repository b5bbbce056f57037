#include "petlab/study/study_runner.hpp"

#include "full_disk.hpp"
#include "lease_keeper.hpp"
#include "lease_owner.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/store_address.hpp"
#include "process_tree.hpp"
#include "worker_process.hpp"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <deque>
#include <iterator>
#include <list>
#include <map>
#include <type_traits>

namespace petlab::study {
namespace {

using Clock = std::chrono::steady_clock;

/// How often a run that another process works on is looked at.
constexpr auto kPollInterval = std::chrono::milliseconds(500);

/// What a child needs at most to end after its run is in the store.
constexpr auto kShutdownGrace = std::chrono::seconds(10);

class StudyRun {
 public:
  StudyRun(const std::vector<Job>& jobs, const RunnerOptions& options, StudyObserver& observer)
      : jobs_(jobs),
        options_(options),
        observer_(observer),
        store_(options.store, results::OpenMode::read_write),
        leases_(store_, lease_owner(), options.lease) {
    for (std::size_t job = 0; job < jobs.size(); ++job)
      untouched_.push_back(job);
    refuse_other_hosts();
    for (int slot = options.workers - 1; slot >= 0; --slot)
      free_slots_.push_back(static_cast<std::size_t>(slot));
  }

  StudyOutcome operator()(const std::atomic<bool>& stop) {
    while (!untouched_.empty() || !elsewhere_.empty() || !active_.empty()) {
      if (stop || outcome_.lost_rank) {
        outcome_.interrupted = true;
        if (options_.detached) wait_for_checkpoints();
        active_.clear();  // kills them; their runs are missing and are computed next time
        break;
      }
      fill_slots();
      wait_for_news();
      look_around();
      keep_leases();  // first: what was lost must not be recorded
      collect();
      if (options_.pause != nullptr && options_.pause->exchange(false)) pause();
      observer_.tick();
    }
    return outcome_;
  }

 private:
  /// Locks and clocks of two hosts cannot be trusted with one file. A lease for longer than anybody
  /// asks for is told later, run by run.
  void refuse_other_hosts() const {
    if (results::is_on_server(options_.store)) return;
    const std::string now = store_.utc_in(std::chrono::milliseconds(0));
    const std::string latest = store_.utc_in(kLongestLease + std::chrono::hours(1));
    for (const results::Lease& lease : store_.leases()) {
      const auto host = other_host(lease.owner);
      if (!host || lease.expires <= now || lease.expires > latest) continue;
      throw base::Error(
          base::ErrorKind::store,
          "results store '" + results::shown_address(options_.store) + "': host '" +
              base::message_line(*host, 100) + "' works on it (until " + lease.expires +
              " at least); one SQLite file is for the processes of one host. Several hosts share a "
              "study by a store on a PostgreSQL server, by jobs of Slurm (petlab submit, or petlab "
              "run --executor slurm), or under "
              "any other scheduler by petlab worker and petlab collect");
    }
  }

  /// The children write what their runs go on from. How long that takes is the scheduler's
  /// business, which kills what is too slow.
  void wait_for_checkpoints() {
    for (const WorkerProcess& worker : active_)
      worker.ask_to_stop();
    while (!active_.empty()) {
      wait_for_news();
      keep_leases();
      collect();
    }
  }

  void fill_slots() {
    while (!free_slots_.empty() && !untouched_.empty()) {
      const std::size_t job = untouched_.front();
      untouched_.pop_front();
      if (!try_to_start(job)) elsewhere_.push_back(job);
    }
    if (free_slots_.empty() || elsewhere_.empty() || Clock::now() < next_look_) return;
    next_look_ = Clock::now() + kPollInterval;
    for (std::size_t n = elsewhere_.size(); n > 0 && !free_slots_.empty(); --n) {
      const std::size_t job = elsewhere_.front();
      elsewhere_.pop_front();
      if (!try_to_start(job)) elsewhere_.push_back(job);
    }
    const std::size_t waiting = active_.empty() ? elsewhere_.size() : 0;
    if (waiting > 0 && waiting != waiting_) {
      const auto lease = leases_.holder(jobs_[elsewhere_.front()].identity.hash);
      observer_.waiting(waiting, lease ? base::message_line(lease->owner, 200) : "");
    }
    waiting_ = waiting;
  }

  /// Now and then: a store that is not in its place any more is known before hours are lost, and
  /// what plugins left behind does not live on.
  void look_around() {
    if (Clock::now() < next_look_around_) return;
    next_look_around_ = Clock::now() + kPollInterval;
    store_.check_in_place();
    std::vector<pid_t> workers;
    for (const WorkerProcess& worker : active_)
      for (const pid_t pid : worker.pids())
        workers.push_back(pid);
    orphans_.end_orphans(workers);
  }

  /// False when another process works on the run. Else the run is started, or was found to be over.
  bool try_to_start(std::size_t index) {
    const Job& job = jobs_[index];
    switch (with_room(index, [&] { return leases_.claim(job.identity.hash); })) {
      case results::Claim::busy:
        return is_held_too_long(index);
      case results::Claim::already_done:
        ++outcome_.done_elsewhere;
        observer_.elsewhere(index, Elsewhere::done, "");
        return true;
      case results::Claim::taken:
        break;
    }
    if (const auto failure = failed_meanwhile(job)) {
      leases_.release(job.identity.hash);
      ++outcome_.failed_elsewhere;
      observer_.elsewhere(index, Elsewhere::failed, *failure);
      return true;
    }
    attempts_before_[index] = store_.attempts(job.identity.hash);
    try {
      active_.emplace_back(index, job, options_,
                           WorkerPlace{store_.file_id(), free_slots_.back(), orphans_.mark()});
    } catch (const LogError& error) {
      end_failed(index, error, 0.0);
      return true;
    }
    free_slots_.pop_back();
    observer_.started(index);
    return true;
  }

  /// Of a run that is busy: whether its lease is one that no petlab would ask for. It is another
  /// clock's, or somebody's hand put it there, and may never end.
  bool is_held_too_long(std::size_t index) {
    const auto lease = leases_.holder(jobs_[index].identity.hash);
    const std::string latest = store_.utc_in(kLongestLease + std::chrono::hours(1));
    if (!lease || lease->expires <= latest) return false;
    ++outcome_.held_elsewhere;
    observer_.elsewhere(index, Elsewhere::held,
                        base::message_line(lease->owner, 200) + " until " + lease->expires);
    return true;
  }

  /// The reason of a failure that somebody recorded since it was decided what is to do.
  [[nodiscard]] std::optional<std::string> failed_meanwhile(const Job& job) const {
    const auto record = store_.load(job.identity.hash, results::LoadDetail::without_predictions);
    if (!record || record->status != results::RunStatus::failed) return std::nullopt;
    const auto retried = options_.retried.find(job.identity.hash);
    if (retried != options_.retried.end() && retried->second == record->finished)
      return std::nullopt;
    return record->error;
  }

  void wait_for_news() {
    std::vector<pollfd> descriptors;
    int timeout_ms = 200;
    for (const WorkerProcess& worker : active_) {
      if (worker.child().silent())
        timeout_ms = 5;  // its end, a moment from now, cannot be polled for
      else
        descriptors.push_back({worker.child().descriptor(), POLLIN, 0});
    }
    ::poll(descriptors.data(), descriptors.size(), timeout_ms);
  }

  void collect() {
    for (auto worker = active_.begin(); worker != active_.end();) {
      if (!worker->listen(observer_)) {
        ++worker;
        continue;
      }
      finish(*worker);
      free_slots_.push_back(worker->slot());
      worker = active_.erase(worker);
    }
  }

  /// The store decides what came of a run: a child may say what it likes.
  void finish(WorkerProcess& worker) {
    const std::size_t index = worker.job();
    const std::string& identity = jobs_[index].identity.hash;
    const WorkerEnd end = worker.end();
    store_.check_in_place();
    const auto record = store_.load(identity, results::LoadDetail::without_predictions);
    const bool is_done = record && record->status == results::RunStatus::done;
    if (!is_done && store_.attempts(identity) == attempts_before_[index]) {
      if (!end.lost_rank.empty()) {
        observer_.note(index, end.lost_rank);
        outcome_.lost_rank = true;
        return leases_.release(identity);
      }
      if (!end.was_stopped) return end_failed(index, end.reason, worker.seconds());
      outcome_.interrupted = true;
      return leases_.release(identity);
    }
    with_room(index, [&] { leases_.release(identity); });
    if (!end.ended_well) observer_.note(index, "its run is in the store; then " + end.how);
    if (is_done) {
      ++outcome_.done;
      observer_.done(index, record->mean_accuracy(), worker.seconds());
    } else {
      ++outcome_.failed;
      observer_.failed(index, record->error, worker.seconds());
    }
  }

  /// A run of which nobody else keeps a record.
  void end_failed(std::size_t index, const base::Error& reason, double seconds) {
    with_room(index, [&] { record_failure(jobs_[index], reason); });
    with_room(index, [&] { leases_.release(jobs_[index].identity.hash); });
    ++outcome_.failed;
    observer_.failed(index, reason.what(), seconds);
  }

  template <class Work>
  std::invoke_result_t<Work&> with_room(std::size_t index, Work&& work) {
    return write_when_there_is_room(work,
                                    [&](const std::string& text) { observer_.note(index, text); });
  }

  void record_failure(const Job& job, const base::Error& reason) {
    engine::NoProgress nothing;
    const engine::RunInfo info{job.identity, job.plugin, job.plugin_version, job.environment};
    const auto fail = [&]() -> engine::RunInputs { throw reason; };
    store_.record(engine::run_guarded(job.spec, info, fail, nothing));
  }

  /// A run that another process took is its own from then on: the child here ends without a record.
  void keep_leases() {
    for (const std::string& identity : leases_.keep()) {
      const auto worker = std::find_if(active_.begin(), active_.end(), [&](const auto& active) {
        return jobs_[active.job()].identity.hash == identity;
      });
      // The record of a done run ends its lease: mostly it is the child's own, and it ends now.
      if (store_.has_done(identity))
        worker->expect_end_within(kShutdownGrace);
      else
        leave(worker);
    }
    for (auto worker = active_.begin(); worker != active_.end();) {
      const auto next = std::next(worker);
      if (worker->overdue()) leave(worker);
      worker = next;
    }
  }

  void leave(std::list<WorkerProcess>::iterator worker) {
    const std::size_t job = worker->job();
    free_slots_.push_back(worker->slot());
    active_.erase(worker);
    elsewhere_.push_back(job);
    observer_.elsewhere(job, Elsewhere::taken, "");
  }

  void pause() {
    for (WorkerProcess& worker : active_)
      worker.pause();
    ::raise(SIGSTOP);
    keep_leases();  // before a child goes on whose run is another's now
    for (WorkerProcess& worker : active_)
      worker.go_on();
  }

  const std::vector<Job>& jobs_;
  const RunnerOptions& options_;
  StudyObserver& observer_;
  results::RunStore store_;
  LeaseKeeper leases_;
  OrphanCare orphans_;
  std::map<std::size_t, std::int64_t> attempts_before_;  ///< of jobs that were started
  std::deque<std::size_t> untouched_;                    ///< jobs that nobody was asked about yet
  std::deque<std::size_t> elsewhere_;                    ///< jobs that another process works on
  std::vector<std::size_t> free_slots_;
  std::list<WorkerProcess> active_;
  Clock::time_point next_look_ = {};
  Clock::time_point next_look_around_ = {};
  std::size_t waiting_ = 0;
  StudyOutcome outcome_;
};

}  // namespace

StudyOutcome run_jobs(const std::vector<Job>& jobs, const RunnerOptions& options,
                      StudyObserver& observer, const std::atomic<bool>& stop) {
  return StudyRun(jobs, options, observer)(stop);
}

}  // namespace petlab::study
