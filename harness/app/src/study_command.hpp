#pragma once

#include "command.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/pending_runs.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/plugin_loader.hpp"
#include "petlab/study/protocol.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace petlab::study {
class RankMeeting;
}  // namespace petlab::study

// What `run` and `plan` share: the options that override a protocol, and the way from there to a
// plan.
namespace petlab::app {

/// Options of a study, for both commands.
void add_study_options(po::options_description& options);

/// The options of a command that works on pictures but trains nothing: --store, what a protocol
/// says of data set, backbone, precision and device, caches, threads.
void add_data_options(po::options_description& options);

/// What these options say of how it is computed; where they name no threads, as many as the run
/// had, or all CPUs where there are fewer: sums of another number of threads may differ in the last
/// bit.
[[nodiscard]] study::ExecutionOptions data_execution(const Parsed& options,
                                                     const results::RunRecord& run);

/// The names of the options of a study.
[[nodiscard]] std::vector<std::string> study_option_names();

/// "epochs" -> "PETLAB_EPOCHS".
[[nodiscard]] std::string variable_of(const std::string& option);

/// A study that is ready to run: everything checked, nothing computed.
struct PreparedStudy {
  study::Protocol protocol;
  study::Plan plan;
  std::vector<study::Job> wanted;  ///< the plan's jobs, less those that --rows leaves out
  std::filesystem::path store;
  int threads = 1;  ///< of each run
  int workers = 1;  ///< runs at once
  int ranks = 1;    ///< processes of each run on this host
};

/// The protocol that the files make together (study::read_protocol), under the options. Refuses a
/// name of --rows that it has not.
[[nodiscard]] study::Protocol read_study(const std::vector<std::filesystem::path>& files,
                                         const Parsed& options);

/// STUDY and --with.
[[nodiscard]] std::vector<std::filesystem::path> study_files(const Parsed& options);

/// The protocol's study, which searches nothing (study_stages.hpp for one that does).
[[nodiscard]] PreparedStudy prepare_protocol(study::Protocol protocol, const Parsed& options,
                                             const study::PluginRegistry& plugins);

/// The runs that are wanted of the studies, each once.
[[nodiscard]] std::vector<study::Job> all_jobs(const std::vector<PreparedStudy>& studies);

/// Puts the study's plan into the store: with --rows, what it has of the study already and the
/// chosen rows. Says on standard output where another plan is kept under a new name.
void store_plan(const PreparedStudy& study, results::RunStore& store);

/// What --retry asks for; nothing without it.
[[nodiscard]] study::RetryChoice retry_choice(const Parsed& options);

/// Adds --run-timeout and --memory-limit, and takes what they say.
void add_limit_options(po::options_description& options);
void take_limits(const Parsed& options, std::optional<std::chrono::seconds>& run_timeout,
                 std::optional<std::int64_t>& memory_limit);

/// True with --quiet.
[[nodiscard]] bool is_quiet(const Parsed& options);

/// Adds these and others to the options of a command that runs studies.
void add_running_options(po::options_description& options);

/// Runs what the store of the studies lacks of them, a run that several of them hold once. The
/// studies share store, workers and threads. Says on standard output what it does, and on stderr
/// what failed; the result is the program's exit code.
/// Each run is computed by as many processes as --ranks says.
[[nodiscard]] int run_missing(const std::vector<PreparedStudy>& studies, const Parsed& options);
/// The same with ranks that are given.
[[nodiscard]] int run_with_ranks(const std::vector<PreparedStudy>& studies, const Parsed& options,
                                 std::shared_ptr<study::RankMeeting> ranks);

/// What --ranks says; 1 without.
[[nodiscard]] int ranks_of(const Parsed& options);

/// The plugins of --plugin-dir, PETLAB_PLUGIN_PATH and the build.
[[nodiscard]] std::unique_ptr<study::PluginRegistry> load_plugins(const Parsed& options);

/// Prints the tables of studies in `store` on standard output, as wide as the terminal, each with
/// an empty line before it, and those over several of them.
void print_study_tables(const std::filesystem::path& store,
                        const std::vector<std::string>& studies);

/// Says on stderr which plugins are refused, and why.
void warn_of_refused(const study::PluginRegistry& plugins);

}  // namespace petlab::app
