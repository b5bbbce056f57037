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

}  // namespace petlab::reports
