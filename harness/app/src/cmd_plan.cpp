#include "command.hpp"
#include "petlab/core/expected_cost.hpp"
#include "petlab/results/identity.hpp"
#include "petlab/results/run_store.hpp"
#include "progress_view.hpp"
#include "study_command.hpp"
#include "study_stages.hpp"

#include <algorithm>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <map>

namespace petlab::app {
namespace {

struct Line {
  std::string state = "missing";
  std::optional<core::RunCost> cost;  ///< measured, or expected
  std::string remark;
};

/// What a store knows of the runs of a study.
class StateOfRuns {
 public:
  StateOfRuns(const PreparedStudy& study, const results::RunStore* store)
      : study_(study), store_(store) {
    if (store == nullptr) return;
    past_ = core::past_runs(*store, study.wanted);
    const std::string now = results::utc_now();
    for (const results::Lease& lease : store->leases())
      if (lease.expires > now) owners_[lease.identity] = lease.owner;
  }

  [[nodiscard]] Line line(const core::Job& job) {
    Line line;
    const auto run = store_ != nullptr
                         ? store_->load(job.identity.hash, results::LoadDetail::without_predictions)
                         : std::nullopt;
    if (run && run->status == results::RunStatus::done) {
      ++done_;
      line.state = "done";
      line.cost = core::cost_of(*run);
      return line;
    }
    const auto expected =
        core::expected_cost(job, study_.plan.train_images.at(job.spec.seed), past_);
    if (expected) line.cost = expected->cost;
    const auto owner = owners_.find(job.identity.hash);
    if (owner != owners_.end()) {
      ++running_;
      line.state = "running";
      line.remark = "on " + owner->second;
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

  void print_sum() const {
    std::cout << study_.wanted.size() << " runs: " << done_ << " done, " << failed_ << " failed, "
              << running_ << " running, " << missing_ << " missing in " << study_.store.string()
              << "\n";
    const std::size_t left = running_ + missing_;
    if (left == 0) return;
    std::cout << "Expected for the " << left << " left: ";
    if (unknown_ == left) {
      std::cout << "unknown, no run like them is in the store\n";
      return;
    }
    std::cout << duration_text(seconds_left_ / study_.workers) << " with " << study_.workers
              << " at once";
    if (unknown_ > 0)
      std::cout << ", and " << unknown_ << " of them unknown (no run like them is in the store)";
    std::cout << "\n";
  }

 private:
  const PreparedStudy& study_;
  const results::RunStore* store_;  ///< nullptr: none yet
  std::vector<core::PastRun> past_;
  std::map<std::string, std::string> owners_;  ///< of running runs, by identity
  std::size_t done_ = 0, failed_ = 0, running_ = 0, missing_ = 0, unknown_ = 0;
  double seconds_left_ = 0.0;
};

std::string memory_text(const std::optional<core::RunCost>& cost) {
  if (!cost) return "unknown";
  const std::int64_t bytes = std::max(cost->peak_host_bytes, cost->peak_device_bytes.value_or(0));
  char text[32];
  const double mebibytes = static_cast<double>(bytes) / (1 << 20);
  if (mebibytes < 1024.0)
    std::snprintf(text, sizeof text, "%.0f MiB", mebibytes);
  else
    std::snprintf(text, sizeof text, "%.1f GiB", mebibytes / 1024.0);
  return text;
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
void print_runs(const PreparedStudy& study) {
  std::optional<results::RunStore> store;
  if (std::filesystem::exists(study.store))
    store.emplace(study.store, results::OpenMode::read_only);
  StateOfRuns states(study, store ? &*store : nullptr);
  std::size_t width = 3;
  for (const core::Job& job : study.wanted)
    width = std::max(width, job.spec.label.size());
  print_line("row", "seed", {.state = "state", .cost = {}, .remark = ""}, "time", "memory", "run",
             width);
  for (const core::Job& job : study.wanted) {
    const Line line = states.line(job);
    const std::string sign = line.cost && line.state != "done" ? "~" : "";
    print_line(job.spec.label, std::to_string(job.spec.seed), line,
               line.cost ? sign + duration_text(line.cost->seconds) : "unknown",
               sign + memory_text(line.cost), job.identity.hash.substr(0, 12), width);
  }
  states.print_sum();
}

}  // namespace

int run_plan(const Arguments& arguments) {
  Usage usage{"plan",
              "STUDY [options]",
              "Checks a study as `petlab run` would, computes nothing, and prints its runs: done,\n"
              "failed (with the reason), running (by whom) or missing, with their time and peak\n"
              "memory. What a run is expected to cost has a ~: the median over finished runs of\n"
              "the same method, sharing, grouping, data set, backbone, device and precision in\n"
              "the store, scaled to its epochs and training pictures.",
              po::options_description("Options"),
              {"STUDY"},
              "  petlab plan harness/protocols/demo.ini\n"
              "  petlab plan my.ini --seeds 1-5 --set train.epochs=50\n"};
  add_study_options(usage.options);
  usage.options.add_options()("protocol", po::bool_switch(), "print the resolved protocol instead");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);
  const StudyStages stages({read_study(study_files(*options), *options)}, *options, *plugins);
  const StudyStages::Second second = stages.second();
  std::vector<PreparedStudy> studies = stages.trials();
  studies.insert(studies.end(), second.studies.begin(), second.studies.end());
  for (const PreparedStudy& study : studies) {
    if (options->get<bool>("protocol")) {
      std::cout << study.plan.study.protocol;
      continue;
    }
    if (studies.size() > 1 || !second.remarks.empty())
      std::cout << "Study " << study.protocol.name << "\n";
    print_runs(study);
  }
  for (const std::string& remark : second.remarks)
    std::cout << remark << "\n";
  return kOk;
}

}  // namespace petlab::app
