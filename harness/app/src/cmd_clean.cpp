#include "command.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/abandoned.hpp"
#include "study_command.hpp"
#include "study_stages.hpp"

#include <iostream>
#include <system_error>

namespace petlab::app {
namespace {

/// The store and what is planned for it: by its own studies and, in the place of those of the same
/// name, by the study of the command line.
struct Scope {
  std::filesystem::path store;
  std::set<std::string> replaced = {};
  std::set<std::string> planned = {};
};

Scope scope_of(const Parsed& options) {
  if (!options.has("STUDY")) {
    if (!options.has("store"))
      base::throw_config_error("petlab clean needs STUDY or --store FILE; see petlab clean --help");
    return {options.text("store")};
  }
  const auto plugins = load_plugins(options);
  const StudyStages stages({read_study(study_files(options), options)}, options, *plugins);
  const std::vector<PreparedStudy> studies = stages.all().studies;
  Scope scope{studies.at(0).store};
  for (const PreparedStudy& study : studies) {
    scope.replaced.insert(study.protocol.name);
    for (const study::Job& job : study.plan.jobs)
      scope.planned.insert(job.identity.hash);
  }
  return scope;
}

void give_back_leases(results::RunStore& store) {
  for (const results::Lease& lease : store.leases()) {
    store.release(lease.identity, lease.owner);
    std::cout << "gave back run " << base::short_hash(lease.identity) << ", which "
              << base::message_line(lease.owner, 200) << " held until " << lease.expires << "\n";
  }
}

}  // namespace

int run_clean(const Arguments& arguments) {
  Usage usage{
      "clean",
      "[STUDY] [--store FILE] [options]",
      "Removes checkpoints beside a store that no run needs: those of finished runs, of runs that\n"
      "no study of the store plans any more (a setting was changed), and incomplete files of\n"
      "killed processes, with the adapters of runs that never ended. With STUDY, its plan as it\n"
      "is now replaces the one in the store. petlab plan lists them. The store does not change,\n"
      "and checkpoints of runs at work stay.",
      po::options_description("Options"),
      {"STUDY"},
      "  petlab clean --store results/demo.sqlite\n"
      "  petlab clean my.ini --store results/my.sqlite\n"
      "  petlab clean --store results/demo.sqlite --leases\n"};
  usage.positional_optional = true;
  add_study_options(usage.options);
  usage.options.add_options()("all", po::bool_switch(),
                              "remove checkpoints of planned runs, too: they begin anew")(
      "leases", po::bool_switch(),
      "give back the runs that leases hold; only where no petlab works on the store");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  Scope scope = scope_of(*options);
  results::RunStore store(scope.store, results::OpenMode::read_write);
  if (options->get<bool>("leases")) give_back_leases(store);
  if (!options->get<bool>("all"))
    scope.planned.merge(study::planned_runs(store, scope.replaced));
  else
    scope.planned.clear();
  std::uintmax_t bytes = 0;
  std::size_t removed = 0;
  std::vector<study::KeptCheckpoint> left = study::abandoned_checkpoints(store, scope.planned);
  const std::vector<study::KeptCheckpoint> adapters = study::abandoned_adapters(store);
  left.insert(left.end(), adapters.begin(), adapters.end());
  for (const study::KeptCheckpoint& checkpoint : left) {
    std::error_code failed;
    if (!std::filesystem::remove(checkpoint.file, failed) || failed) {
      std::cerr << "petlab: cannot remove " << base::printable(checkpoint.file) << ": "
                << failed.message() << "\n";
      continue;
    }
    ++removed;
    bytes += checkpoint.bytes;
    std::cout << "removed " << base::printable(checkpoint.file) << "\n";
  }
  std::cout << removed << (removed == 1 ? " file" : " files") << " removed, "
            << grouped_digits(static_cast<std::int64_t>(bytes)) << " bytes\n";
  return kOk;
}

}  // namespace petlab::app
