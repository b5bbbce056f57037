#include "follow_up_stage.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/evaluation.hpp"
#include "petlab/study/follow_up.hpp"

#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

namespace petlab::app {
namespace {

/// A run that is done and has tests to follow.
std::optional<results::RunRecord> testable(const study::Job& job, const study::Plan& plan,
                                           const results::RunStore& store) {
  if (plan.bound_to_classes.contains(job.spec.label)) return std::nullopt;
  auto run = store.load(job.identity.hash, results::LoadDetail::without_predictions);
  if (!run || run->status != results::RunStatus::done) return std::nullopt;
  return run;
}

std::string accuracy_text(const results::RunRecord& run) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100.0 * run.mean_accuracy());
  return text;
}

}  // namespace

int run_follow_ups(const std::vector<PreparedStudy>& studies, const Parsed& options) {
  int code = kOk;
  for (const PreparedStudy& study : studies) {
    if (!study::has_follow_ups(study.protocol)) continue;
    results::RunStore store(study.store, results::OpenMode::read_write);
    std::size_t tested = 0;
    for (const study::Job& job : study.wanted) {
      ++tested;
      const auto run = testable(job, study.plan, store);
      if (!run) continue;
      const std::string which = job.spec.label + " seed " + std::to_string(job.spec.seed);
      std::string what = "tests beside its own";
      try {
        const engine::StoredAdapters stored = study::load_adapters(store.path(), *run);
        for (const study::FollowUp& test : study::follow_ups(study.protocol, stored)) {
          what = test.what;
          engine::NoProgress progress;
          const study::Evaluation evaluation =
              study::evaluate_run(test.protocol, *run, stored, store, test.stand_in,
                                  data_execution(options, *run), progress, test.target);
          if (evaluation.was_there || is_quiet(options)) continue;
          std::cout << "[" << tested << "/" << study.wanted.size() << "] " << which << "  " << what
                    << " " << accuracy_text(evaluation.record) << std::endl;
        }
      } catch (const base::Error& error) {
        std::cerr << "petlab: " << which << ", " << what << ": not tested: " << error.what()
                  << std::endl;
        code = kRunFailed;
      }
    }
  }
  return code;
}

}  // namespace petlab::app
