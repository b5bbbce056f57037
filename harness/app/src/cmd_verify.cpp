#include "command.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/private_folder.hpp"
#include "petlab/base/text.hpp"
#include "petlab/results/adapter_files.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/results/verification.hpp"
#include "stored_run.hpp"
#include "study_command.hpp"

#include <filesystem>
#include <iostream>
#include <optional>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;

/// What of the identity is not as it was, one a line.
std::string differences(const results::RunIdentity& was, const results::RunIdentity& is) {
  std::string text;
  for (const auto& [name, value] : was.parts) {
    std::string now = "absent";
    for (const auto& [other, new_value] : is.parts)
      if (other == name) now = new_value;
    if (now != value)
      text += "\n  " + name + " was " + value.substr(0, 24) + ", is " + now.substr(0, 24);
  }
  return text;
}

/// The study of the run, with this run as the only one that is wanted.
PreparedStudy prepare_repeat(const results::RunRecord& run, const PlannedRun& planned,
                             const Parsed& options, const fs::path& folder) {
  const auto plugins = load_plugins(options);
  warn_of_refused(*plugins);
  PreparedStudy study = prepare_protocol(protocol_of(planned, options), options, *plugins);
  std::optional<study::Job> repeat, namesake;
  for (const study::Job& job : study.plan.jobs) {
    if (job.identity.hash == run.identity.hash) repeat = job;
    if (job.spec.label == planned.run.row_label && job.spec.seed == planned.run.seed)
      namesake = job;
  }
  if (!repeat)
    base::throw_config_error(
        "run " + base::short_hash(run.identity.hash) + " cannot be repeated here: " +
        (namesake
             ? "what decides its result changed:" + differences(run.identity, namesake->identity)
             : std::string("its study has no such row any more")));
  study.wanted = {*repeat};
  study.wanted.front().spec.feature_store = false;  // what others computed is verified too
  study.wanted.front().spec.keep_adapters = !run.adapters_hash.empty();
  study.store = folder / "repeat.sqlite";
  study.workers = 1;
  return study;
}

}  // namespace

int run_verify(const Arguments& arguments) {
  Usage usage{
      "verify",
      "RUN --store FILE [options]",
      "Computes a finished run again and compares weights, losses and the prediction for every\n"
      "test image. RUN is the beginning of its identity, as petlab plan and the report print "
      "it.\n"
      "The outcome is stored; the run itself does not change. Levels: bit-equal (everything is "
      "the\n"
      "same), same-kernel (every image gets the same class, the last bits differ), statistical\n"
      "(some classes differ). A run claims its level for the CPU level that it was computed with\n"
      "(PETLAB_CPU); on another one no difference counts as a fault. Adapters of the run that are\n"
      "missing beside the store come back where the repeat gives the same file. Exit code: 0 when "
      "the run\n"
      "keeps the level that it claims, 1 when it does not, 2 when it cannot be repeated because\n"
      "something that decides its result changed.",
      po::options_description("Options"),
      {"RUN"},
      "  petlab plan harness/protocols/demo.ini\n"
      "  petlab verify 1bc4700f8e0b --store results/demo.sqlite\n"};
  add_study_options(usage.options);
  add_running_options(usage.options);
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  if (!options->has("store")) base::throw_config_error("petlab verify needs --store FILE");
  const fs::path file = options->text("store");

  std::optional<results::RunStore> store(std::in_place, file, results::OpenMode::read_write);
  const results::RunRecord run = find_run(*store, options->text("RUN"), "can be verified");
  const PlannedRun planned = find_plan(*store, run);
  const results::StoreFileId opened = store->file_id();
  store.reset();  // the repeat takes its time
  // Nobody else can have put a result there.
  const base::PrivateFolder scratch("petlab-verify");
  const PreparedStudy study = prepare_repeat(run, planned, *options, scratch.path());
  if (const int code = run_missing({study}, *options); code != kOk) return code;
  const auto repeat =
      results::RunStore(study.store, results::OpenMode::read_only).load(run.identity.hash);
  const results::VerificationRecord result = results::compare_repeat(run, repeat.value());
  store.emplace(file, results::OpenMode::read_write);
  if (store->file_id() != opened)
    throw base::Error(base::ErrorKind::store,
                      "results store '" + base::printable(file) +
                          "' was replaced while the run was computed once more; what came out (" +
                          result.level + ") is not kept");
  store->add_verification(result);
  if (repeat->adapters_hash == run.adapters_hash && results::carry_adapters(study.store, file, run))
    std::cout << "The run's adapters, which were missing, are there again.\n";

  const std::string claim = results::claim_for_repeat(run, repeat.value());
  const bool good = results::keeps(result.level, claim);
  std::cout << planned.run.row_label << " seed " << run.seed << " (" << planned.study.name
            << "): the repeat is " << result.level << "; "
            << (run.trained_hash == repeat->trained_hash ? "the same" : "other") << " weights, "
            << result.changed_predictions << " of " << grouped_digits(result.predictions)
            << " test images classified otherwise. The run claims " << run.determinism
            << (claim != run.determinism ? " on its own CPU level; this is another one.\n"
                : good                   ? ": kept.\n"
                                         : ": NOT kept.\n");
  return good ? kOk : kRunFailed;
}

}  // namespace petlab::app
