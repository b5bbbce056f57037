#pragma once

#include "petlab/engine/stand_in.hpp"
#include "petlab/study/plan.hpp"
#include "petlab/study/plugin_loader.hpp"
#include "petlab/study/protocol.hpp"

#include <set>
#include <string>
#include <vector>

namespace petlab::engine {
struct StoredAdapters;
}  // namespace petlab::engine

/// Tests of a finished run's adapters that its study asks for beside the run's own test, each of
/// which becomes an evaluation (evaluate_run):
/// - base to new: of a study on base classes, on the new classes;
/// - cross-domain: each task's adapters on every domain;
/// - domain generalisation: on the domain that the study leaves out, with each task's adapters
///   where the run does not treat its tasks alike;
/// - cross-data-set transfer: on other data sets, likewise (transfer.hpp).
/// Studies that test on validation images have none.
namespace petlab::study {

struct FollowUp {
  Protocol protocol;         ///< names the images
  engine::StandIn stand_in;  ///< whose adapters
  std::string what;          ///< "accuracy on new classes"
  std::string target = {};   ///< TransferTarget::name; "" on the study's own data set
};

[[nodiscard]] bool has_follow_ups(const Protocol& protocol);

/// Measures (measure_facts) what the study's follow-ups will test on, so that what is missing there
/// is found before any training; `facts` are the study's own. Throws Error(config) for a transfer
/// target that is the study's own data set, whose test images may be training images of the runs,
/// and what measure_facts() throws, with the test in front.
void check_follow_ups(const Protocol& protocol, const StudyFacts& facts);

/// Those of a run with these adapters. Cross-domain tests of a run that treats its tasks alike are
/// its own test again, and left out.
[[nodiscard]] std::vector<FollowUp> follow_ups(const Protocol& protocol,
                                               const engine::StoredAdapters& stored);

/// Labels of planned rows that have no follow-ups: what they train belongs to the classes that they
/// are trained on (class heads, remembered examples, prompts of each class), and the study's tests
/// are on others. Made before any run, from adapters without training. Loads the backbone where
/// classes differ. Throws what the method throws for options that do not fit it.
[[nodiscard]] std::set<std::string> rows_bound_to_classes(const Protocol& protocol,
                                                          const Plan& plan,
                                                          const PluginRegistry& plugins);

/// The same as one sentence for people; "" where there are none.
[[nodiscard]] std::string bound_rows_note(const Protocol& protocol,
                                          const std::set<std::string>& rows);

}  // namespace petlab::study
