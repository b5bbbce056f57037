#include "state_of_runs.hpp"

#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/engine/run_checkpoint.hpp"
#include "petlab/engine/tasks.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/sdk/plugin.hpp"
#include "petlab/study/memory_estimate.hpp"
#include "petlab/study/study_facts.hpp"
#include "petlab/study/worker.hpp"
#include "progress_view.hpp"

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace petlab::app {
namespace {

/// "job 12_3 on node7 since 2026-01-31T12:00:00, train 40/300".
std::string remark_of(const study::QueuedRun& run) {
  std::string text = run.job.empty() ? "" : "job " + run.job;
  if (!run.node.empty()) text += " on " + run.node;
  if (run.state == study::QueuedRun::State::running) text += " since " + run.since;
  if (!run.reason.empty() && run.state == study::QueuedRun::State::queued)
    text += " (" + run.reason + ")";
  if (run.progress) {
    text += ", " + run.progress->phase;
    if (run.progress->total > 0)
      text += " " + std::to_string(run.progress->done) + "/" + std::to_string(run.progress->total);
  }
  return text;
}

}  // namespace

std::string bytes_text(std::int64_t bytes) {
  char text[32];
  const double mebibytes = static_cast<double>(bytes) / (1 << 20);
  if (mebibytes < 1024.0)
    std::snprintf(text, sizeof text, "%.0f MiB", mebibytes);
  else
    std::snprintf(text, sizeof text, "%.1f GiB", mebibytes / 1024.0);
  return text;
}

QueuedRuns runs_of_cluster(const std::filesystem::path& store, std::string& trouble) {
  std::vector<study::QueueEntry> queue;
  try {
    if (study::has_open_orders(store)) queue = study::slurm::queue();
  } catch (const study::SchedulerError& error) {
    trouble = error.what();
    return {};
  }
  return study::queued_runs(store, queue);
}

StateOfRuns::StateOfRuns(const PreparedStudy& study, const results::RunStore* store,
                         const study::PluginRegistry& plugins, const QueuedRuns& cluster)
    : study_(study), store_(store), plugins_(plugins), cluster_(cluster) {
  if (store == nullptr) return;
  costs_ = study::ExpectedCosts(study::past_runs(*store, study.wanted));
  const std::string now = results::utc_now();
  for (const results::Lease& lease : store->leases())
    if (lease.expires > now) leases_[lease.identity] = lease;
}

StateOfRuns::~StateOfRuns() = default;

RunLine StateOfRuns::line(const study::Job& job) {
  RunLine line = state(job);
  if (line.state == "done") return line;
  line.estimated_bytes = estimate(job.spec);
  if (line.state == "missing" && line.remark.empty())
    if (const auto at =
            engine::position_in(study::checkpoint_file(study_.store, job.identity), job.identity))
      line.remark = "interrupted at epoch " + std::to_string(at->epoch + 1);
  return line;
}

RunLine StateOfRuns::state(const study::Job& job) {
  RunLine line;
  const auto run = store_ != nullptr
                       ? store_->load(job.identity.hash, results::LoadDetail::without_predictions)
                       : std::nullopt;
  if (run && run->status == results::RunStatus::done) {
    ++counts_.done;
    line.state = "done";
    line.cost = study::cost_of(*run);
    if (const std::string trouble = results::adapter_trouble(study_.store, *run);
        !trouble.empty()) {
      ++without_adapters_;
      line.remark = "its adapters " + trouble;
    }
    return line;
  }
  const auto expected =
      costs_.of(job, study_.plan.train_images.at({job.spec.seed, job.spec.train_size}));
  if (expected) line.cost = expected->cost;
  if (const auto lease = leases_.find(job.identity.hash); lease != leases_.end()) {
    ++counts_.running;
    line.state = "running";
    line.lease = lease->second;
    line.remark =
        "on " + base::message_line(line.lease->owner, 200) + " until " + line.lease->expires;
  } else if (const auto found = cluster_.find(job.identity.hash); found != cluster_.end()) {
    take_from_cluster(found->second, line);
  } else if (run) {
    ++counts_.failed;
    line.state = "failed";
    line.remark = run->error_kind + ": " + run->error;
    return line;
  } else {
    ++counts_.missing;
  }
  if (expected)
    counts_.seconds_left += expected->cost.seconds;
  else
    ++counts_.unknown;
  return line;
}

void StateOfRuns::take_from_cluster(const study::QueuedRun& run, RunLine& line) {
  line.remark = remark_of(run);
  switch (run.state) {
    case study::QueuedRun::State::running:
      line.state = "running";
      ++counts_.running;
      return;
    case study::QueuedRun::State::queued:
      line.state = "queued";
      ++counts_.queued;
      return;
    case study::QueuedRun::State::published:
      line.state = "published";
      line.remark = "petlab collect --store " + study_.store.string();
      ++counts_.queued;
      return;
    case study::QueuedRun::State::lost:
      line.state = "lost";
      line.remark =
          "its job ended without a result" + (line.remark.empty() ? "" : ": " + line.remark);
      break;
    case study::QueuedRun::State::cancelled:
      line.remark = "its job was cancelled: " + line.remark;
      break;
  }
  ++counts_.missing;
}

std::string StateOfRuns::memory_warning() const {
  const std::int64_t machine = study::machine_memory();
  if (machine == 0 || largest_ == 0 || largest_ * study_.workers <= machine) return "";
  return std::to_string(study_.workers) +
         (study_.workers == 1 ? " run may need " : " parallel runs may need ") +
         bytes_text(largest_ * study_.workers) + " of memory, this machine has " +
         bytes_text(machine) +
         (study_.workers == 1 ? "; a smaller batch needs less" : "; use fewer --workers");
}

Json StateOfRuns::sum_json() const {
  const bool known = counts_.running + counts_.queued + counts_.missing > counts_.unknown;
  Json json = {{"done", counts_.done},
               {"failed", counts_.failed},
               {"running", counts_.running},
               {"queued", counts_.queued},
               {"missing", counts_.missing}};
  json["expected_seconds_left"] =
      known ? Json(counts_.seconds_left / study_.workers) : Json(nullptr);
  json["without_expectation"] = counts_.unknown;
  json["workers"] = study_.workers;
  return json;
}

void StateOfRuns::print_sum() const {
  std::cout << study_.wanted.size() << " runs: " << counts_.done << " done, " << counts_.failed
            << " failed, " << counts_.running << " running, "
            << (counts_.queued > 0 ? std::to_string(counts_.queued) + " queued, " : "")
            << counts_.missing << " missing in " << study_.store.string() << "\n";
  if (without_adapters_ > 0)
    std::cout << "The adapters of " << without_adapters_
              << " of them are missing; the runs stay done. petlab verify RUN computes them once "
                 "more, petlab merge brings them from a store that has them\n";
  const std::size_t left = counts_.running + counts_.queued + counts_.missing;
  if (left == 0) return;
  std::cout << "Expected for the " << left << " left: ";
  if (counts_.unknown == left) {
    std::cout << "unknown, no run like them is in the store\n";
    return;
  }
  std::cout << duration_text(counts_.seconds_left / study_.workers) << " with " << study_.workers
            << (study_.workers == 1 ? " run at a time" : " parallel runs");
  if (counts_.unknown > 0)
    std::cout << ", and " << counts_.unknown
              << " of them unknown (no run like them is in the store)";
  std::cout << "\n";
}

std::int64_t StateOfRuns::estimate(const engine::RunSpec& spec) {
  if (spec.device != engine::DeviceKind::cpu) return 0;
  const auto [entry, is_new] = estimates_.try_emplace(spec.label, 0);
  if (is_new) {
    if (backbone_ == nullptr) {
      backbone_ = clip::Backbone::load(spec.backbone, c10::kCPU,
                                       {.allow_unknown_weights = spec.allow_unknown_weights});
      tasks_ = study::study_tasks(spec.dataset);
    }
    entry->second =
        study::estimate_memory(spec, *plugins_.method(spec.method).entry, *backbone_, tasks_)
            .total();
  }
  largest_ = std::max(largest_, entry->second);
  return entry->second;
}

}  // namespace petlab::app
