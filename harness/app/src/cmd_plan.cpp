#include "command.hpp"
#include "json_output.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/abandoned.hpp"
#include "petlab/study/expected_cost.hpp"
#include "petlab/study/memory_estimate.hpp"
#include "petlab/study/study_facts.hpp"
#include "petlab/study/submission.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"
#include "study_stages.hpp"

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <set>

namespace petlab::app {
namespace {

struct Line {
  std::string state = "missing";
  std::optional<study::RunCost> cost;  ///< measured, or expected
  std::int64_t estimated_bytes = 0;    ///< from shapes; 0 for a run that is done, or on a GPU
  std::string remark;
};

std::string bytes_text(std::int64_t bytes) {
  char text[32];
  const double mebibytes = static_cast<double>(bytes) / (1 << 20);
  if (mebibytes < 1024.0)
    std::snprintf(text, sizeof text, "%.0f MiB", mebibytes);
  else
    std::snprintf(text, sizeof text, "%.1f GiB", mebibytes / 1024.0);
  return text;
}

using QueuedRuns = std::map<std::string, study::QueuedRun>;

/// What a cluster knows of the runs of a store. `trouble`: why it does not say.
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

/// What a store, and a cluster, know of the runs of a study.
class StateOfRuns {
 public:
  StateOfRuns(const PreparedStudy& study, const results::RunStore* store,
              const study::PluginRegistry& plugins, const QueuedRuns& cluster)
      : study_(study), store_(store), plugins_(plugins), cluster_(cluster) {
    if (store == nullptr) return;
    past_ = study::past_runs(*store, study.wanted);
    const std::string now = results::utc_now();
    for (const results::Lease& lease : store->leases())
      if (lease.expires > now)
        owners_[lease.identity] = base::message_line(lease.owner, 200) + " until " + lease.expires;
  }

  [[nodiscard]] Line line(const study::Job& job) {
    Line line;
    const auto run = store_ != nullptr
                         ? store_->load(job.identity.hash, results::LoadDetail::without_predictions)
                         : std::nullopt;
    if (run && run->status == results::RunStatus::done) {
      ++done_;
      line.state = "done";
      line.cost = study::cost_of(*run);
      if (const std::string trouble = results::adapter_trouble(study_.store, *run);
          !trouble.empty()) {
        ++without_adapters_;
        line.remark = "its adapters " + trouble;
      }
      return line;
    }
    const auto expected = study::expected_cost(
        job, study_.plan.train_images.at({job.spec.seed, job.spec.train_size}), past_);
    if (expected) line.cost = expected->cost;
    line.estimated_bytes = estimate(job.spec);
    const auto owner = owners_.find(job.identity.hash);
    if (owner != owners_.end()) {
      ++running_;
      line.state = "running";
      line.remark = "on " + owner->second;
    } else if (const auto found = cluster_.find(job.identity.hash); found != cluster_.end()) {
      take_from_cluster(found->second, line);
    } else if (run) {
      ++failed_;
      line.state = "failed";
      line.remark = run->error_kind + ": " + run->error;
      return line;
    } else {
      ++missing_;
    }
    if (expected)
      seconds_left_ += expected->cost.seconds;
    else
      ++unknown_;
    return line;
  }

  /// A run that was submitted.
  void take_from_cluster(const study::QueuedRun& run, Line& line) {
    line.remark = remark_of(run);
    switch (run.state) {
      case study::QueuedRun::State::running:
        line.state = "running";
        ++running_;
        return;
      case study::QueuedRun::State::queued:
        line.state = "queued";
        ++queued_;
        return;
      case study::QueuedRun::State::published:
        line.state = "published";
        line.remark = "petlab collect --store " + study_.store.string();
        ++queued_;
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
    ++missing_;
  }

  /// Where the runs at once are expected to want more memory than there is: a sentence; else "".
  [[nodiscard]] std::string memory_warning() const {
    const std::int64_t machine = study::machine_memory();
    if (machine == 0 || largest_ == 0 || largest_ * study_.workers <= machine) return "";
    return std::to_string(study_.workers) +
           (study_.workers == 1 ? " run may need " : " parallel runs may need ") +
           bytes_text(largest_ * study_.workers) + " of memory, this machine has " +
           bytes_text(machine) +
           (study_.workers == 1 ? "; a smaller batch needs less" : "; use fewer --workers");
  }

  /// Counts of the states, and what is expected for the runs that are left.
  [[nodiscard]] Json sum_json() const {
    const bool known = running_ + queued_ + missing_ > unknown_;
    Json json = {{"done", done_},
                 {"failed", failed_},
                 {"running", running_},
                 {"queued", queued_},
                 {"missing", missing_}};
    json["expected_seconds_left"] = known ? Json(seconds_left_ / study_.workers) : Json(nullptr);
    json["without_expectation"] = unknown_;
    json["workers"] = study_.workers;
    return json;
  }

  void print_sum() const {
    std::cout << study_.wanted.size() << " runs: " << done_ << " done, " << failed_ << " failed, "
              << running_ << " running, "
              << (queued_ > 0 ? std::to_string(queued_) + " queued, " : "") << missing_
              << " missing in " << study_.store.string() << "\n";
    if (without_adapters_ > 0)
      std::cout << "The adapters of " << without_adapters_
                << " of them are missing; the runs stay done. petlab verify RUN computes them once "
                   "more, petlab merge brings them from a store that has them\n";
    const std::size_t left = running_ + queued_ + missing_;
    if (left == 0) return;
    std::cout << "Expected for the " << left << " left: ";
    if (unknown_ == left) {
      std::cout << "unknown, no run like them is in the store\n";
      return;
    }
    std::cout << duration_text(seconds_left_ / study_.workers) << " with " << study_.workers
              << (study_.workers == 1 ? " run at a time" : " parallel runs");
    if (unknown_ > 0)
      std::cout << ", and " << unknown_ << " of them unknown (no run like them is in the store)";
    std::cout << "\n";
  }

 private:
  /// Seeds of a row need the same.
  std::int64_t estimate(const engine::RunSpec& spec) {
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

  const PreparedStudy& study_;
  const results::RunStore* store_;  ///< nullptr: none yet
  const study::PluginRegistry& plugins_;
  const QueuedRuns& cluster_;
  std::shared_ptr<const clip::Backbone> backbone_;
  std::vector<engine::Task> tasks_;
  std::map<std::string, std::int64_t> estimates_;  ///< by row
  std::int64_t largest_ = 0;                       ///< of runs that are not done
  std::vector<study::PastRun> past_;
  std::map<std::string, std::string> owners_;  ///< of running runs, by identity
  std::size_t done_ = 0, failed_ = 0, running_ = 0, queued_ = 0, missing_ = 0, unknown_ = 0;
  std::size_t without_adapters_ = 0;  ///< of those that are done
  double seconds_left_ = 0.0;
};

/// Measured, expected from runs like it (~), or estimated from shapes (~~).
std::string memory_text(const Line& line) {
  if (line.cost) {
    const std::int64_t bytes =
        std::max(line.cost->peak_host_bytes, line.cost->peak_device_bytes.value_or(0));
    return (line.state == "done" ? "" : "~") + bytes_text(bytes);
  }
  return line.estimated_bytes > 0 ? "~~" + bytes_text(line.estimated_bytes) : "unknown";
}

void print_line(const std::string& row, const std::string& seed, const Line& line,
                const std::string& time, const std::string& memory, const std::string& run,
                std::size_t width) {
  std::cout << std::left << std::setw(static_cast<int>(width)) << row << "  " << std::setw(4)
            << seed << "  " << std::setw(7) << line.state << "  " << std::right << std::setw(11)
            << time << "  " << std::setw(9) << memory << "  " << std::left << run
            << (line.remark.empty() ? "" : "  ") << line.remark << "\n";
}

/// The runs of a study, a line each, and their sum.
void print_runs(const PreparedStudy& study, const study::PluginRegistry& plugins) {
  std::optional<results::RunStore> store;
  if (std::filesystem::exists(study.store))
    store.emplace(study.store, results::OpenMode::read_only);
  std::string trouble;
  const QueuedRuns cluster = runs_of_cluster(study.store, trouble);
  StateOfRuns states(study, store ? &*store : nullptr, plugins, cluster);
  std::size_t width = 3;
  for (const study::Job& job : study.wanted)
    width = std::max(width, job.spec.label.size());
  print_line("row", "seed", {.state = "state", .cost = {}, .remark = ""}, "time", "memory", "run",
             width);
  for (const study::Job& job : study.wanted) {
    const Line line = states.line(job);
    const std::string sign = line.cost && line.state != "done" ? "~" : "";
    print_line(job.spec.label, std::to_string(job.spec.seed), line,
               line.cost ? sign + duration_text(line.cost->seconds) : "unknown", memory_text(line),
               job.identity.hash.substr(0, 12), width);
  }
  states.print_sum();
  if (!trouble.empty())
    std::cout << "What was submitted is not known at the moment: " << trouble << "\n";
  if (const std::string warning = states.memory_warning(); !warning.empty())
    std::cout << "Warning: " << warning << "\n";
}

Json run_json(const study::Job& job, const Line& line) {
  Json json = {{"row", job.spec.label},
               {"seed", job.spec.seed},
               {"run", job.identity.hash},
               {"state", line.state}};
  const char* how = line.state == "done" ? "measured" : "expected";
  json["seconds"] = line.cost ? Json(line.cost->seconds) : Json(nullptr);
  json["peak_bytes"] = nullptr;
  json["known_by"] = nullptr;
  if (line.cost) {
    json["peak_bytes"] =
        std::max(line.cost->peak_host_bytes, line.cost->peak_device_bytes.value_or(0));
    json["known_by"] = how;
  } else if (line.estimated_bytes > 0) {
    json["peak_bytes"] = line.estimated_bytes;
    json["known_by"] = "shapes";
  }
  json["remark"] = line.remark.empty() ? Json(nullptr) : Json(line.remark);
  return json;
}

Json study_json(const PreparedStudy& study, const study::PluginRegistry& plugins) {
  std::optional<results::RunStore> store;
  if (std::filesystem::exists(study.store))
    store.emplace(study.store, results::OpenMode::read_only);
  StateOfRuns states(study, store ? &*store : nullptr, plugins);
  Json json = {{"study", study.protocol.name}, {"store", study.store.string()}};
  json["runs"] = Json::array();
  for (const study::Job& job : study.wanted)
    json["runs"].push_back(run_json(job, states.line(job)));
  json["sum"] = states.sum_json();
  const std::string warning = states.memory_warning();
  json["memory_warning"] = warning.empty() ? Json(nullptr) : Json(warning);
  json["notes"] = study.plan.notes;
  return json;
}

/// What earlier settings of these studies left behind.
std::vector<study::KeptCheckpoint> abandoned(const std::vector<PreparedStudy>& studies) {
  if (studies.empty() || !std::filesystem::exists(studies.front().store)) return {};
  const results::RunStore store(studies.front().store, results::OpenMode::read_only);
  std::set<std::string> names, now;
  for (const PreparedStudy& study : studies) {
    names.insert(study.protocol.name);
    for (const study::Job& job : study.plan.jobs)
      now.insert(job.identity.hash);
  }
  now.merge(study::planned_runs(store, names));
  return study::abandoned_checkpoints(store, now);
}

void print_abandoned(const std::vector<PreparedStudy>& studies) {
  const auto left = abandoned(studies);
  if (left.empty()) return;
  std::int64_t bytes = 0;
  for (const study::KeptCheckpoint& one : left)
    bytes += static_cast<std::int64_t>(one.bytes);
  std::cout << "Checkpoints that no run needs (" << bytes_text(bytes)
            << "; petlab clean STUDY --store " << studies.front().store.string()
            << " removes them):\n";
  for (const study::KeptCheckpoint& one : left)
    std::cout << "  " << base::printable(one.file) << "\n";
}

void print_plan_json(const std::vector<PreparedStudy>& studies,
                     const std::vector<std::string>& remarks,
                     const study::PluginRegistry& plugins) {
  Json json = {{"format", "petlab plan"}, {"version", 1}};
  json["studies"] = Json::array();
  for (const PreparedStudy& study : studies)
    json["studies"].push_back(study_json(study, plugins));
  json["remarks"] = remarks;
  json["abandoned_checkpoints"] = Json::array();
  for (const study::KeptCheckpoint& one : abandoned(studies))
    json["abandoned_checkpoints"].push_back({{"file", one.file.string()}, {"bytes", one.bytes}});
  print_json(json);
}

}  // namespace

int run_plan(const Arguments& arguments) {
  Usage usage{
      "plan",
      "STUDY [options]",
      "Checks a study as `petlab run` would, computes nothing, and prints its runs: done,\n"
      "failed (with the reason), running (by whom) or missing, with their time and peak\n"
      "memory; those that were submitted to a cluster also as queued, running (where, since\n"
      "when, how far), published (petlab collect takes them) or lost. What a\n"
      "run is expected to cost has a ~: the median over finished runs of\n"
      "the same method, sharing, grouping, data set, backbone, device and precision in\n"
      "the store, scaled to its epochs and training images. Memory with ~~ is estimated\n"
      "from shapes, for runs on the CPU that have none like them in the store yet. Warns\n"
      "when parallel runs may need more memory than the machine has. Lists checkpoints\n"
      "that no run needs any more (petlab clean removes them).",
      po::options_description("Options"),
      {"STUDY"},
      "  petlab plan harness/protocols/demo.ini\n"
      "  petlab plan my.ini --seeds 1-5 --set train.epochs=50\n"};
  add_study_options(usage.options);
  usage.options.add_options()("protocol", po::bool_switch(), "print the resolved protocol instead")(
      "json", po::bool_switch(), "print the runs as JSON");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (options->get<bool>("json") && options->get<bool>("protocol"))
    base::throw_config_error("--protocol prints a protocol file: expected it without --json");
  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);
  const StudyStages stages({read_study(study_files(*options), *options)}, *options, *plugins);
  const StudyStages::Second second = stages.second();
  std::vector<PreparedStudy> studies = stages.trials();
  studies.insert(studies.end(), second.studies.begin(), second.studies.end());
  if (options->get<bool>("json")) {
    print_plan_json(studies, second.remarks, *plugins);
    return kOk;
  }
  for (const PreparedStudy& study : studies) {
    if (options->get<bool>("protocol")) {
      std::cout << study.plan.study.protocol;
      continue;
    }
    if (studies.size() > 1 || !second.remarks.empty())
      std::cout << "Study " << study.protocol.name << "\n";
    print_searches(study);
    print_runs(study, *plugins);
    for (const std::string& note : study.plan.notes)
      std::cout << "Note: " << note << "\n";
  }
  if (!options->get<bool>("protocol")) print_abandoned(studies);
  for (const std::string& remark : second.remarks)
    std::cout << remark << "\n";
  return kOk;
}

}  // namespace petlab::app
