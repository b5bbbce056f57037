#include "petlab/study/new_classes.hpp"

#include "petlab/base/text.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/engine/stored_model.hpp"
#include "petlab/study/study_facts.hpp"
#include "untrained_adapters.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace petlab::study {
namespace {

bool belongs_to_classes(const engine::RunSpec& spec, const sdk::MethodEntry& entry,
                        const clip::Backbone& backbone, const std::vector<engine::Task>& tasks) {
  const UntrainedAdapters made = untrained_adapters(spec, entry, backbone, tasks);
  return std::any_of(made.adapters.adapters.begin(), made.adapters.adapters.end(),
                     [](const auto& adapter) {
                       return engine::belongs_to_classes(adapter->changes({.task = 0}));
                     });
}

}  // namespace

bool tests_new_classes(const Protocol& protocol) {
  return protocol.dataset.classes == engine::ClassPart::base &&
         !protocol.dataset.tests_on_validation();
}

std::set<std::string> rows_without_new_classes(const Protocol& protocol, const Plan& plan,
                                               const PluginRegistry& plugins) {
  std::set<std::string> bound, seen;
  const auto backbone = clip::Backbone::load(
      protocol.backbone, c10::kCPU, {.allow_unknown_weights = protocol.allow_unknown_weights});
  const std::vector<engine::Task> tasks = study_tasks(protocol.dataset);
  for (const Job& job : plan.jobs) {
    if (!seen.insert(job.spec.label).second) continue;
    if (belongs_to_classes(job.spec, *plugins.method(job.spec.method).entry, *backbone, tasks))
      bound.insert(job.spec.label);
  }
  return bound;
}

std::string new_classes_note(const std::set<std::string>& rows) {
  if (rows.empty()) return "";
  return base::joined(std::vector<std::string>(rows.begin(), rows.end())) +
         (rows.size() == 1 ? ": what it trains belongs" : ": what they train belongs") +
         " to the base classes (a class head, remembered examples, prompts of each class), so that "
         "new classes are not tested";
}

Protocol on_new_classes(Protocol protocol) {
  protocol.dataset.classes = engine::ClassPart::unseen;
  return protocol;
}

}  // namespace petlab::study
