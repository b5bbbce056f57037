#include "petlab/study/follow_up.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/engine/stored_model.hpp"
#include "petlab/study/study_facts.hpp"
#include "petlab/study/transfer.hpp"
#include "untrained_adapters.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

namespace petlab::study {
namespace {

bool tests_new_classes(const Protocol& protocol) {
  return protocol.dataset.classes == engine::ClassPart::base;
}

Protocol on_new_classes(Protocol protocol) {
  protocol.dataset.classes = engine::ClassPart::unseen;
  return protocol;
}

Protocol on_left_out(Protocol protocol) {
  protocol.dataset.domains = {protocol.dataset.leave_out};
  return protocol;
}

Protocol on_target(Protocol protocol, const TransferTarget& target) {
  protocol.dataset = target.dataset;
  return protocol;
}

/// `test` says what of the study is measured, in front of what is wrong with it.
StudyFacts measured(const Protocol& protocol, const std::string& test) {
  try {
    return measure_facts(protocol);
  } catch (const base::Error& error) {
    throw base::Error(error.kind(), test + ": " + error.what());
  }
}

void check_target(const Protocol& protocol, const TransferTarget& target, const StudyFacts& facts) {
  const std::string which = "data set '" + target.name + "' of transfer";
  const std::string root = base::printable(target.dataset.root);
  std::error_code ignored;
  if (!std::filesystem::exists(target.dataset.root, ignored))
    throw base::Error(base::ErrorKind::data, which + ": its folder " + root +
                                                 " does not exist; expected root in [dataset] of " +
                                                 target.name + ".ini");
  const auto is_own = [&] {
    if (is_own_data_set(protocol.dataset, target)) return true;
    const std::string images = measured(on_target(protocol, target), which).dataset_fingerprint;
    return images == facts.dataset_fingerprint || images == facts.all_classes;
  };
  if (is_own())
    base::throw_config_error(which + " is the study's own, in " + root +
                             ", whose test images may be training images of the runs; expected "
                             "another data set");
}

/// Whether some test is on other classes than those that its adapters were trained on.
bool classes_differ(const Protocol& protocol) {
  if (tests_new_classes(protocol)) return true;
  std::vector<engine::Task> tasks = study_tasks(protocol.dataset);
  if (!protocol.dataset.leave_out.empty())
    for (engine::Task& task : study_tasks(on_left_out(protocol).dataset))
      tasks.push_back(std::move(task));
  for (const TransferTarget& target : transfer_targets(protocol.dataset))
    for (engine::Task& task : study_tasks(target.dataset))
      tasks.push_back(std::move(task));
  return std::any_of(tasks.begin(), tasks.end(), [&](const engine::Task& task) {
    return task.classes != tasks.front().classes;
  });
}

bool is_bound(const engine::RunSpec& spec, const sdk::MethodEntry& entry,
              const clip::Backbone& backbone, const std::vector<engine::Task>& tasks) {
  const UntrainedAdapters made = untrained_adapters(spec, entry, backbone, tasks);
  return std::any_of(made.adapters.adapters.begin(), made.adapters.adapters.end(),
                     [](const auto& adapter) {
                       return engine::belongs_to_classes(adapter->changes({.task = 0}));
                     });
}

FollowUp& add(Protocol protocol, const std::string& what, std::vector<FollowUp>& tests) {
  FollowUp& test = tests.emplace_back();
  test.protocol = std::move(protocol);
  test.what = what;
  return test;
}

/// The same images with the adapters of each task.
void add_each_task(const Protocol& protocol, const engine::StoredAdapters& stored,
                   const std::string& what, std::vector<FollowUp>& tests) {
  for (const engine::StoredTask& task : stored.tasks) {
    engine::StandIn& stand_in =
        add(protocol, what + " with the adapters of " + task.name, tests).stand_in;
    stand_in.task = task.name;
    stand_in.for_all = true;
  }
}

/// On images that no task trained on: with the adapters that all tasks share, or those of each.
/// `comma` stands between `what` and whose they are.
void add_elsewhere(const Protocol& protocol, const engine::StoredAdapters& stored,
                   const std::string& what, const char* comma, std::vector<FollowUp>& tests) {
  if (engine::treats_tasks_alike(stored))
    add(protocol, what, tests);
  else
    add_each_task(protocol, stored, what + comma, tests);
}

}  // namespace

bool has_follow_ups(const Protocol& protocol) {
  return !protocol.dataset.tests_on_validation() &&
         (tests_new_classes(protocol) || protocol.dataset.cross_domain ||
          !protocol.dataset.leave_out.empty() || !protocol.dataset.transfer.empty());
}

void check_follow_ups(const Protocol& protocol, const StudyFacts& facts) {
  if (!has_follow_ups(protocol)) return;
  if (tests_new_classes(protocol))
    (void)measured(on_new_classes(protocol), "the test on new classes");
  if (const std::string& domain = protocol.dataset.leave_out; !domain.empty())
    (void)measured(on_left_out(protocol), "the test on " + domain + ", which is left out");
  for (const TransferTarget& target : transfer_targets(protocol.dataset))
    check_target(protocol, target, facts);
}

std::vector<FollowUp> follow_ups(const Protocol& protocol, const engine::StoredAdapters& stored) {
  std::vector<FollowUp> tests;
  if (!has_follow_ups(protocol)) return tests;
  if (tests_new_classes(protocol)) add(on_new_classes(protocol), "accuracy on new classes", tests);
  if (protocol.dataset.cross_domain && !engine::treats_tasks_alike(stored))
    add_each_task(protocol, stored, "accuracy on all domains", tests);
  if (const std::string& domain = protocol.dataset.leave_out; !domain.empty())
    add_elsewhere(on_left_out(protocol), stored, "accuracy on " + domain + ", which was left out",
                  ",", tests);
  for (const TransferTarget& target : transfer_targets(protocol.dataset)) {
    const std::size_t before = tests.size();
    add_elsewhere(on_target(protocol, target), stored, "accuracy on " + target.name, "", tests);
    for (std::size_t i = before; i < tests.size(); ++i)
      tests[i].target = target.name;
  }
  return tests;
}

std::set<std::string> rows_bound_to_classes(const Protocol& protocol, const Plan& plan,
                                            const PluginRegistry& plugins) {
  std::set<std::string> bound, seen;
  if (!has_follow_ups(protocol) || !classes_differ(protocol)) return bound;
  const auto backbone = clip::Backbone::load(
      protocol.backbone, c10::kCPU, {.allow_unknown_weights = protocol.allow_unknown_weights});
  const std::vector<engine::Task> tasks = study_tasks(protocol.dataset);
  for (const Job& job : plan.jobs) {
    if (!seen.insert(job.spec.label).second) continue;
    if (is_bound(job.spec, *plugins.method(job.spec.method).entry, *backbone, tasks))
      bound.insert(job.spec.label);
  }
  return bound;
}

std::string bound_rows_note(const Protocol& protocol, const std::set<std::string>& rows) {
  if (rows.empty()) return "";
  return base::joined(std::vector<std::string>(rows.begin(), rows.end())) +
         (rows.size() == 1 ? ": what it trains belongs" : ": what they train belongs") +
         (tests_new_classes(protocol) ? " to the base classes"
                                      : " to the classes of their domains") +
         " (a class head, remembered examples, prompts of each class), so that " +
         (tests_new_classes(protocol) ? "new classes are not tested"
          : protocol.dataset.transfer.empty()
              ? "other domains, whose classes differ, are not tested"
              : "other data sets, whose classes differ, are not tested");
}

}  // namespace petlab::study
