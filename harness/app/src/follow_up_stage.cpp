#include "follow_up_stage.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/progress.hpp"
#include "petlab/engine/stored_adapters.hpp"
#include "petlab/results/run_store.hpp"
#include "petlab/study/evaluation.hpp"
#include "petlab/study/follow_up.hpp"

#include <cstdio>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

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

/// What became of a test, in a line.
using Say = std::function<void(const std::string& what, const results::RunRecord& tested)>;

/// Calls `step`; false where it goes wrong, of which `what` of the run is then said.
bool attempt(const std::string& which, const std::string& what, const std::function<void()>& step) {
  try {
    step();
    return true;
  } catch (const base::Error& error) {
    std::cerr << "petlab: " << which << ", " << what << ": not tested: " << error.what()
              << std::endl;
    return false;
  }
}

/// Each test that is missing of a run, whatever becomes of the others. False where one goes wrong.
bool test_run(const PreparedStudy& study, const std::string& which, const results::RunRecord& run,
              results::RunStore& store, const study::ExecutionOptions& execution, const Say& say) {
  engine::StoredAdapters stored;
  std::vector<study::FollowUp> tests;
  bool is_sound = attempt(which, "tests beside its own", [&] {
    stored = study::load_adapters(store.path(), run);
    tests = study::follow_ups(study.protocol, stored);
  });
  for (const study::FollowUp& test : tests) {
    const bool is_tested = attempt(which, test.what, [&] {
      engine::NoProgress progress;
      const study::Evaluation evaluation = study::evaluate_run(
          test.protocol, run, stored, store, test.stand_in, execution, progress, test.target);
      if (!evaluation.was_there) say(test.what, evaluation.record);
    });
    is_sound = is_tested && is_sound;
  }
  return is_sound;
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
      const Say say = [&](const std::string& what, const results::RunRecord& record) {
        if (is_quiet(options)) return;
        std::cout << "[" << tested << "/" << study.wanted.size() << "] " << which << "  " << what
                  << " " << accuracy_text(record) << std::endl;
      };
      if (!test_run(study, which, *run, store, data_execution(options, *run), say))
        code = kRunFailed;
    }
  }
  return code;
}

}  // namespace petlab::app
