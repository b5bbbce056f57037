#include "cluster_command.hpp"
#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/study/rank_meeting.hpp"
#include "places.hpp"
#include "study_command.hpp"
#include "study_stages.hpp"

#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace petlab::app {
namespace {

/// The program of a rank other than 0: reads no study, and computes what rank 0's hands out.
int follow(const study::RankEnvironment& environment) {
  try {
    return study::follow_ranks(environment, program_file());
  } catch (const base::Error& error) {
    if (error.kind() != base::ErrorKind::device) throw;
    std::cerr << "petlab: rank " << environment.rank << ": " << error.what() << "\n";
    return kStopped;
  }
}

std::shared_ptr<study::RankMeeting> lead(const study::RankEnvironment& environment,
                                         const Parsed& options) {
  if (options.has("ranks") && ranks_of(options) != environment.size)
    base::throw_config_error("--ranks is " + std::to_string(ranks_of(options)) +
                             ", but WORLD_SIZE is " + std::to_string(environment.size) +
                             ": the ranks are started already; leave --ranks out");
  if (options.has("workers") && count_of(options, "workers", 1, kMostThreads) > 1)
    base::throw_config_error("--workers: programs that are started as ranks (WORLD_SIZE is " +
                             std::to_string(environment.size) + ") compute one run at a time");
  return study::RankMeeting::lead(environment);
}

}  // namespace

int run_study(const Arguments& arguments) {
  Usage usage{
      "run",
      "STUDY [options]",
      "Computes the missing runs of a study and prints its table. STUDY is a protocol file\n"
      "(harness/protocols/README.md). Each run is a process. Stored runs are never repeated;\n"
      "failed ones only with --retry. Several petlab processes may share a store: each run is\n"
      "computed by one of them, and taken over if that process dies. With --executor slurm runs\n"
      "are jobs of a cluster (petlab submit --help). Options override the environment\n"
      "(PETLAB_EPOCHS=5 is --epochs 5), which overrides the file. Exit code: 0 when all runs are\n"
      "done, 1 when one failed, now or before.",
      po::options_description("Options"),
      {"STUDY"},
      "  petlab run harness/protocols/demo.ini --store results/demo.sqlite\n"
      "  petlab run harness/protocols/demo.ini --rows coop-joint --seeds 1 --epochs 2\n"
      "  petlab run harness/protocols/demo.ini --dataset folder --dataset-root ~/pictures\n"
      "  petlab run my.ini --set method.coop.option.n-ctx=16 --workers 1 --threads 2\n"};
  add_study_options(usage.options);
  add_running_options(usage.options);
  add_executor_options(usage.options);
  add_cluster_options(usage.options);
  usage.options.add_options()("no-table", po::bool_switch(),
                              "do not print the study's table at the end");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const auto others = study::rank_environment();
  if (others && others->rank > 0) return follow(*others);
  std::shared_ptr<study::RankMeeting> ranks;
  if (others) ranks = lead(*others, *options);
  const auto plugins = load_plugins(*options);
  warn_of_refused(*plugins);
  StudyStages stages({read_study(study_files(*options), *options)}, *options, *plugins);
  std::vector<PreparedStudy> studies;
  const std::string& executor = options->text("executor");
  if (executor != "local" && executor != "slurm")
    base::throw_config_error("--executor is '" + executor + "', expected local or slurm");
  if (executor == "slurm" && (others || ranks_of(*options) > 1))
    base::throw_config_error(
        "ranks are processes of this machine or of torchrun; they and "
        "--executor slurm exclude each other");
  const auto run_here = [&](const std::vector<PreparedStudy>& some, const Parsed& said) {
    return ranks != nullptr ? run_with_ranks(some, said, ranks) : run_missing(some, said);
  };
  const int code = executor == "slurm" ? run_stages(stages, *options, studies, run_on_cluster)
                                       : run_stages(stages, *options, studies, run_here);
  if (ranks != nullptr) ranks->end(code);
  if (code != kInterrupted && code != kStopped && !studies.empty() &&
      !options->get<bool>("no-table")) {
    std::vector<std::string> names;
    for (const PreparedStudy& study : studies)
      names.push_back(study.protocol.name);
    print_study_tables(studies.front().store, names);
  }
  return code;
}

}  // namespace petlab::app
