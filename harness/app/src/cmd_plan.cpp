#include "command.hpp"
#include "petlab/results/run_store.hpp"
#include "study_command.hpp"

#include <iomanip>
#include <iostream>

namespace petlab::app {

int run_plan(const Arguments& arguments) {
  Usage usage{"plan",
              "STUDY [options]",
              "Checks a study as `petlab run` would, computes nothing, and prints its runs with\n"
              "their state: done, failed (would be tried again) or missing.",
              po::options_description("Options"),
              {"STUDY"},
              "  petlab plan harness/protocols/demo.ini\n"
              "  petlab plan my.ini --seeds 1-5 --set train.epochs=50\n"};
  add_study_options(usage.options);
  usage.options.add_options()("protocol", po::bool_switch(), "print the resolved protocol instead");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const PreparedStudy study = prepare_study(*options);
  if (options->get<bool>("protocol")) {
    std::cout << study.plan.study.protocol;
    return kOk;
  }

  std::optional<results::RunStore> store;
  if (std::filesystem::exists(study.store))
    store.emplace(study.store, results::OpenMode::read_only);
  std::size_t width = 3, done = 0, failed = 0;
  for (const core::Job& job : study.wanted)
    width = std::max(width, job.spec.label.size());
  std::cout << std::left << std::setw(static_cast<int>(width)) << "row"
            << "  seed  state    run\n";
  for (const core::Job& job : study.wanted) {
    std::string state = "missing", reason;
    if (store)
      if (const auto run =
              store->load(job.identity.hash, results::LoadDetail::without_predictions)) {
        const bool is_done = run->status == results::RunStatus::done;
        state = is_done ? "done" : "failed";
        if (!is_done) reason = "  " + run->error;
        ++(is_done ? done : failed);
      }
    std::cout << std::setw(static_cast<int>(width)) << job.spec.label << "  " << std::setw(4)
              << job.spec.seed << "  " << std::setw(7) << state << "  "
              << job.identity.hash.substr(0, 12) << reason << "\n";
  }
  std::cout << study.wanted.size() << " runs: " << done << " done, " << failed << " failed, "
            << study.wanted.size() - done - failed << " missing in " << study.store.string()
            << "\n";
  return kOk;
}

}  // namespace petlab::app
