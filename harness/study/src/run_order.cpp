#include "petlab/study/run_order.hpp"

#include "descriptor_checks.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/read_file.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/compact_copy.hpp"
#include "petlab/results/named_values.hpp"
#include "petlab/study/identity.hpp"
#include "planned_parts.hpp"

#include <system_error>
#include <thread>

namespace petlab::study {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& sentence) {
  throw base::Error(base::ErrorKind::store, sentence);
}

/// A program that was built anew since would put its result under another one's identity.
void check_program(const OrderFolder& folder, const Job& job) {
  const auto check = [&](const char* part, const std::string& here) {
    const std::string& planned = identity_part(job.identity, part);
    if (planned != here)
      refuse("order folder '" + base::printable(folder.path()) +
             "' was written by another petlab (" + part + " " + base::short_hash(planned) +
             ", here " + base::short_hash(here) + "); petlab submit writes orders for this one");
  };
  check("host.sources", host_source_hash());
  check("torch.version", loaded_torch_version());
}

/// The identity that the order's spec gives, with what was measured as its identity says: the
/// worker compares that with what it loads.
results::RunIdentity identity_of(const Job& job) {
  const auto planned = [&](const char* part) {
    return results::value_of(job.identity.parts, part);
  };
  return run_identity(job.spec, {.dataset_fingerprint = planned("dataset.fingerprint"),
                                 .split_hash = planned("dataset.split"),
                                 .backbone_weights = planned("backbone.weights"),
                                 .backbone_settings = planned("backbone.settings"),
                                 .method_sources = planned("method.sources"),
                                 .grouping_sources = planned("grouping.sources"),
                                 .host_sources = planned("host.sources"),
                                 .torch_version = planned("torch.version"),
                                 .class_names = planned("dataset.class-names")});
}

/// An order that was changed since would put another run's result under its identity.
void check_spec(const OrderFolder& folder, const Job& job) {
  const results::RunIdentity made = identity_of(job);
  if (made.hash == job.identity.hash && made.parts == job.identity.parts) return;
  std::string difference = "the parts of its identity are others";
  for (const auto& [name, value] : made.parts)
    if (const std::string planned = results::value_of(job.identity.parts, name); planned != value) {
      difference = name + " is '" + value + "', in its identity '" + planned + "'";
      break;
    }
  refuse("order folder '" + base::printable(folder.path()) + "': the order of run " +
         base::short_hash(job.identity.hash) + " was changed (" +
         base::message_line(difference, 300) + "); petlab submit writes it anew");
}

/// The spool may be full, or away for a moment.
bool publish(const fs::path& store, const OrderFolder& folder, const std::string& run,
             std::chrono::seconds patience, StudyObserver& observer,
             const std::atomic<bool>& stop) {
  fs::path compact = store;
  compact += ".shard";
  results::write_compact_copy(store, compact);
  const std::vector<std::uint8_t> bytes = base::read_file(compact);
  const fs::path shard = folder.new_shard(run);
  const fs::path adapters = results::adapter_file(store, run);
  const auto limit = std::chrono::steady_clock::now() + patience;
  for (bool said = false;; said = true) {
    std::string reason;
    try {
      // The shard last: who sees it sees all.
      if (fs::exists(adapters)) {
        const fs::path place = results::adapter_file(shard, run);
        fs::create_directory(place.parent_path());  // in the spool, which is there or away
        base::write_file(place, base::read_file(adapters), {.failure = base::ErrorKind::store});
      }
      base::write_file(shard, bytes, {.failure = base::ErrorKind::store});
      return true;
    } catch (const base::Error& error) {
      reason = error.what();
    } catch (const fs::filesystem_error& error) {
      reason = error.what();
    }
    std::error_code ignored;
    fs::remove_all(results::adapter_file(shard, run).parent_path(), ignored);
    if (stop) return false;
    if (std::chrono::steady_clock::now() >= limit)
      refuse("the result cannot be published, and is computed again from the run's checkpoint: " +
             reason);
    if (!said) observer.note(0, "waits for the spool: " + reason);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

bool may_be_the_hosts(const std::string& kind) {
  return kind == base::to_string(base::ErrorKind::device) ||
         kind == base::to_string(base::ErrorKind::store);
}

/// The store that the run is recorded in and published with: it holds the split of this run, not
/// those of all orders.
fs::path private_store(const OrderFolder& folder, const Job& job, const fs::path& scratch) {
  const fs::path splits = scratch / "base.sqlite", store = scratch / "run.sqlite";
  std::error_code failed;
  fs::copy_file(folder.base(), splits, failed);
  if (failed)
    refuse("order folder '" + base::printable(folder.path()) +
           "': its base.sqlite cannot be copied to '" + base::printable(scratch) +
           "' (TMPDIR): " + failed.message());
  fs::permissions(splits, fs::perms::owner_read | fs::perms::owner_write, failed);
  const auto split = results::RunStore(splits, results::OpenMode::read_only)
                         .split(identity_part(job.identity, "dataset.split"),
                                identity_part(job.identity, "dataset.fingerprint"));
  if (!split)
    refuse("order folder '" + base::printable(folder.path()) +
           "': its base.sqlite lacks the split of run " + base::short_hash(job.identity.hash));
  results::RunStore(store).register_split(*split);
  return store;
}

}  // namespace

OrderEnd run_order(const OrderFolder& folder, const WorkerRequest& order,
                   const OrderOptions& options, StudyObserver& observer,
                   const std::atomic<bool>& stop) {
  const std::string& run = order.job.identity.hash;
  check_program(folder, order.job);
  check_spec(folder, order.job);
  if (folder.has_result(run)) return OrderEnd::published;
  std::optional<base::PrivateFolder> scratch;
  try {
    scratch.emplace("petlab-worker");
  } catch (const base::Error& error) {
    refuse(error.what());
  }
  const std::vector<Job> jobs = {order.job};
  const RunnerOptions runner{
      .program = options.program,
      .store = private_store(folder, order.job, scratch->path()),
      .logs = folder.logs(),
      .workers = 1,
      .run_timeout = options.run_timeout,
      .memory_limit = options.memory_limit,
      .detached = DetachedRun{order.detached->checkpoints, scratch->path() / "features"}};
  const StudyOutcome outcome = run_jobs(jobs, runner, observer, stop);
  std::optional<results::RunRecord> record;
  {
    const results::RunStore store(runner.store, results::OpenMode::read_only);
    record = store.load(run, results::LoadDetail::without_predictions);
  }
  if (!record && outcome.interrupted) return OrderEnd::stopped;
  if (!record) refuse("run " + base::short_hash(run) + " ended without a record");
  const bool is_done = record->status == results::RunStatus::done;
  if (!is_done && may_be_the_hosts(record->error_kind) &&
      folder.add_failure(run, record->error_kind + ": " + record->error) < kHostFailures)
    return OrderEnd::stopped;
  if (!publish(runner.store, folder, run, options.patience, observer, stop))
    return OrderEnd::stopped;
  std::error_code ignored;
  if (is_done)
    fs::remove(order.detached->checkpoints / checkpoint_name(order.job.identity), ignored);
  return is_done ? OrderEnd::published : OrderEnd::failure_published;
}

}  // namespace petlab::study
