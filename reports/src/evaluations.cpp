#include "evaluations.hpp"

#include "petlab/results/named_values.hpp"

namespace petlab::reports {

void visit_evaluations(const results::RunStore& store,
                       const std::function<void(const results::RunRecord&)>& visit) {
  for (const std::string& identity : store.evaluations()) {
    const auto run = store.load(identity, results::LoadDetail::without_predictions);
    if (run && run->parent) visit(*run);
  }
}

std::string tested_as(const results::RunRecord& evaluation) {
  return results::value_of(evaluation.environment, results::environment::kTestedAs);
}

std::optional<double> accuracy_of(const AccuracyByAdapters& tested, std::size_t tasks) {
  if (const auto shared = tested.find(""); shared != tested.end()) return shared->second;
  if (tested.size() != tasks) return std::nullopt;
  double sum = 0.0;
  for (const auto& [task, accuracy] : tested)
    sum += accuracy;
  return sum / static_cast<double>(tested.size());
}

}  // namespace petlab::reports
