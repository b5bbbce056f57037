#include "new_classes_stage.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/evaluation.hpp"
#include "petlab/study/new_classes.hpp"

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

namespace petlab::app {
namespace {

/// A run that is done, to be tested on new classes.
std::optional<results::RunRecord> testable(const study::Job& job, const study::Plan& plan,
                                           const results::RunStore& store) {
  if (plan.base_only.contains(job.spec.label)) return std::nullopt;
  auto run = store.load(job.identity.hash, results::LoadDetail::without_predictions);
  if (!run || run->status != results::RunStatus::done) return std::nullopt;
  return run;
}

}  // namespace

int test_new_classes(const std::vector<PreparedStudy>& studies, const Parsed& options) {
  int code = kOk;
  for (const PreparedStudy& study : studies) {
    if (!study::tests_new_classes(study.protocol)) continue;
    const study::Protocol protocol = study::on_new_classes(study.protocol);
    results::RunStore store(study.store, results::OpenMode::read_write);
    std::size_t tested = 0;
    for (const study::Job& job : study.wanted) {
      ++tested;
      const auto run = testable(job, study.plan, store);
      if (!run) continue;
      const std::string what = job.spec.label + " seed " + std::to_string(job.spec.seed);
      try {
        engine::NoProgress progress;
        const study::Evaluation evaluation =
            study::evaluate_run(protocol, *run, store, "", data_execution(options, *run), progress);
        if (evaluation.was_there || is_quiet(options)) continue;
        char accuracy[32];
        std::snprintf(accuracy, sizeof accuracy, "%.1f %%",
                      100.0 * evaluation.record.mean_accuracy());
        std::cout << "[" << tested << "/" << study.wanted.size() << "] " << what
                  << "  accuracy on new classes " << accuracy << std::endl;
      } catch (const base::Error& error) {
        std::cerr << "petlab: " << what << " was not tested on the new classes: " << error.what()
                  << std::endl;
        code = kRunFailed;
      }
    }
  }
  return code;
}

}  // namespace petlab::app
