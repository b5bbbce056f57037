#include "evaluations.hpp"

#include "petlab/reports/statistics.hpp"
#include "petlab/results/named_values.hpp"

namespace petlab::reports {
namespace {

std::optional<double> accuracy_of(const AccuracyByAdapters& tested, std::size_t tasks) {
  if (const auto shared = tested.find(""); shared != tested.end()) return shared->second;
  if (tested.size() != tasks) return std::nullopt;
  double sum = 0.0;
  for (const auto& [task, accuracy] : tested)
    sum += accuracy;
  return sum / static_cast<double>(tested.size());
}

}  // namespace

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

std::vector<std::pair<std::uint64_t, double>> tested_seeds(const Row& row, const TestedRuns& tested,
                                                           std::size_t tasks) {
  std::vector<std::pair<std::uint64_t, double>> seeds;
  for (const SeedResult& seed : row.seeds) {
    const auto found = tested.find(seed.identity.hash);
    if (found == tested.end()) continue;
    if (const auto accuracy = accuracy_of(found->second, tasks))
      seeds.emplace_back(seed.seed, *accuracy);
  }
  return seeds;
}

std::optional<Estimate> over_seeds(const Row& row,
                                   const std::vector<std::pair<std::uint64_t, double>>& tested) {
  if (tested.empty() || tested.size() != row.seeds.size()) return std::nullopt;
  std::vector<double> accuracies;
  for (const auto& [seed, accuracy] : tested)
    accuracies.push_back(accuracy);
  return estimate(accuracies);
}

}  // namespace petlab::reports
