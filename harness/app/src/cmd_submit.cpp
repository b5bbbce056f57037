#include "cluster_command.hpp"
#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/store_address.hpp"

#include <iostream>
#include <optional>

namespace petlab::app {
namespace {

/// "sbatch '--job-name=a b' ...", as a shell reads it.
std::string shell_line(const std::vector<std::string>& arguments) {
  std::string line = "sbatch --parsable";
  for (const std::string& argument : arguments) {
    std::string quoted;
    for (const char c : argument)
      quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    const bool is_plain = argument.find_first_of(" '\"$\\|&;()<>*?[]#~%!{}`") == std::string::npos;
    line += " " + (is_plain ? argument : "'" + quoted + "'");
  }
  return line;
}

void print_dry(const ClusterStudies& cluster, const std::vector<study::Job>& jobs) {
  const std::filesystem::path folder =
      study::orders_place(results::absolute_address(cluster.store())) / "N";
  const auto tasks = cluster.tasks(jobs);
  const study::SubmissionText text = study::submission_text(
      folder, tasks.size(), cluster.submit_options(), study::slurm::largest_array());
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    std::cout << "task " << task << ":";
    for (const std::size_t order : tasks[task])
      std::cout << " " << jobs[order].spec.label << " seed " << jobs[order].spec.seed
                << (order == tasks[task].back() ? "" : ",");
    std::cout << "\n";
  }
  for (const std::vector<std::string>& call : text.calls)
    std::cout << shell_line(call) << "\n";
  std::cout << "\njob.sh:\n" << text.script;
}

std::string number_of(std::size_t number, const char* one, const char* several) {
  return std::to_string(number) + " " + (number == 1 ? one : several);
}

/// Submits what nobody computes. Returns the exit code.
int submit(const std::vector<PreparedStudy>& studies, const Parsed& options) {
  const ClusterChoice choice = cluster_choice(options);
  const bool is_dry = options.get<bool>("dry-run"), submits = !options.get<bool>("orders-only");
  std::vector<study::QueueEntry> queue;
  // Asked before anything is written: where Slurm is away, nothing is reserved.
  if (submits) queue = study::slurm::queue();
  ClusterStudies cluster(studies, choice, options, /*writes=*/!is_dry);
  std::optional<study::SubmitLock> lock;
  bool is_sound = true;
  if (!is_dry) {
    lock.emplace(cluster.store());
    if (submits) queue = study::slurm::queue();  // another submit may have been at work until now
    is_sound = print_collected(study::collect(cluster.store()), cluster.store());
  }
  study::PendingRuns pending = cluster.pending();
  std::size_t queued = 0;
  if (submits) {
    const auto known = study::queued_runs(cluster.store(), queue);
    queued = std::erase_if(pending.jobs, [&](const study::Job& job) {
      const auto run = known.find(job.identity.hash);
      return run != known.end() && run->second.state >= study::QueuedRun::State::published;
    });
  }
  std::cout << "Study " << cluster.first().protocol.name << ": "
            << pending.done + pending.failed + queued + pending.jobs.size() << " runs, "
            << pending.done << " done, " << pending.failed << " failed before, " << queued
            << " queued or running, " << pending.jobs.size() << " to submit" << std::endl;
  if (pending.jobs.empty()) return is_sound ? kOk : kStore;
  if (is_dry) {
    print_dry(cluster, pending.jobs);
    return kOk;
  }
  const study::OrderFolder folder = cluster.write(pending.jobs);
  const std::size_t tasks = folder.tasks().size();
  std::string jobs;
  if (submits) jobs = base::joined(study::submit_orders(folder, cluster.submit_options()));
  std::cout << base::printable(folder.path()) << ": "
            << number_of(folder.runs().size(), "run", "runs") << " in "
            << number_of(tasks, "task", "tasks")
            << (submits ? ", submitted to Slurm as job " + jobs
                        : ", orders 0 to " + std::to_string(folder.runs().size() - 1) +
                              " for petlab worker")
            << "\n";
  return is_sound ? kOk : kStore;
}

}  // namespace

int run_submit(const Arguments& arguments) {
  Usage usage{
      "submit",
      "STUDY [options]",
      "Submits the runs that a study is missing to Slurm, as job arrays, and returns. What is in\n"
      "the store, queued or running already is left out: submitting twice computes nothing twice.\n"
      "`petlab plan` shows how far they are, `petlab collect` brings results into the store, and\n"
      "`petlab run STUDY --executor slurm` does all of it until the table is there. The folder of\n"
      "the store must be one that all nodes see; SQLite itself runs on this host alone. Of a "
      "study\n"
      "with a [search], the trials are submitted first, and the study when they are done.\n"
      "Exit code: 8 when Slurm cannot be reached; nothing is reserved then.\n"
      "\n--cluster FILE has a section [cluster] with any of these keys:\n" +
          cluster_key_help(),
      po::options_description("Options"),
      {"STUDY"},
      "  petlab submit my.ini --store /shared/my.sqlite --cluster cluster.ini --dry-run\n"
      "  petlab submit my.ini --store /shared/my.sqlite --at-once 8\n"
      "  petlab submit my.ini --store /shared/my.sqlite --orders-only\n"};
  add_study_options(usage.options);
  add_cluster_options(usage.options);
  usage.options.add_options()("retry", text_value(), "as of petlab run")(
      "dry-run", po::bool_switch(), "print what would be submitted, and do nothing")(
      "orders-only", po::bool_switch(),
      "write the orders for petlab worker and submit nothing: for another scheduler");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);
  const StudyStages stages({read_study(study_files(*options), *options)}, *options, *plugins);
  const StudyStages::Second second = stages.second();
  // Trials that are missing come first: the study's settings follow from them.
  std::vector<PreparedStudy> round = second.remarks.empty() ? second.studies : stages.trials();
  if (round.empty()) round = stages.trials();
  for (const std::string& remark : second.remarks)
    std::cout << remark << "\n";
  return submit(round, *options);
}

}  // namespace petlab::app
