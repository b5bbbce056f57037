#include "petlab/study/expected_cost.hpp"

#include "petlab/results/named_values.hpp"

#include <algorithm>
#include <cstdlib>
#include <set>

namespace petlab::study {
namespace {

/// Mean of the middle two of an even number. `values` is not empty.
template <class Number>
Number median(std::vector<Number> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return values[middle - 1] + (values[middle] - values[middle - 1]) / 2;
}

/// How many times as much; 1 where nothing is known to differ.
double ratio(double wanted, double past) {
  return wanted > 0.0 && past > 0.0 ? wanted / past : 1.0;
}

PastRun past_run(const results::RunRecord& record) {
  PastRun past;
  past.kind = cost_kind(record.identity.parts);
  past.cost = cost_of(record);
  past.epochs =
      std::strtod(results::value_of(record.identity.parts, "train.epochs").c_str(), nullptr);
  double first = 0.0;
  for (const results::EpochRecord& epoch : record.epochs) {
    if (epoch.phase != "train") continue;
    if (first == 0.0) first = static_cast<double>(epoch.steps);
    past.steps += static_cast<double>(epoch.steps);
  }
  const std::string steps = results::value_of(record.identity.parts, "train.steps");
  if (!steps.empty() && steps != "0" && first > 0.0) past.epochs = past.steps / first;
  for (const results::TaskResult& task : record.tasks)
    past.train_images += static_cast<double>(task.n_train);
  for (const results::PhaseCost& phase : record.costs) {
    if (phase.phase == "train")
      past.train_seconds += phase.seconds;
    else if (phase.phase == "warm-up")
      past.warm_up_seconds += phase.seconds;
    else
      past.fixed_seconds += phase.seconds;
  }
  return past;
}

}  // namespace

RunCost cost_of(const results::RunRecord& record) {
  RunCost cost;
  for (const results::PhaseCost& phase : record.costs) {
    cost.seconds += phase.seconds;
    cost.peak_host_bytes = std::max(cost.peak_host_bytes, phase.peak_host_bytes);
    if (phase.peak_device_bytes)
      cost.peak_device_bytes =
          std::max(cost.peak_device_bytes.value_or(0), *phase.peak_device_bytes);
  }
  return cost;
}

std::string cost_kind(const results::NamedValues& identity_parts) {
  std::string kind;
  for (const char* name : {"method", "sharing", "grouping", "dataset.fingerprint",
                           "backbone.weights", "train.device", "train.precision"})
    kind += results::value_of(identity_parts, name) + "\n";
  return kind;
}

std::vector<PastRun> past_runs(const results::RunStore& store, const std::vector<Job>& wanted) {
  std::set<std::string> kinds, seen;
  std::set<std::pair<std::string, std::string>> methods;  // what a plan tells without its records
  for (const Job& job : wanted) {
    kinds.insert(cost_kind(job.identity.parts));
    methods.emplace(job.spec.method, to_string(job.spec.sharing));
  }
  std::vector<PastRun> past;
  for (const std::string& study : store.studies()) {
    for (const results::StudyRun& run : store.runs(study)) {
      if (run.status != results::RunStatus::done) continue;
      if (methods.count({run.plan.method, run.plan.sharing}) == 0) continue;
      if (!seen.insert(run.plan.hash).second) continue;
      const auto record = store.load(run.plan.hash, results::LoadDetail::without_predictions);
      if (record && kinds.count(cost_kind(record->identity.parts)) > 0)
        past.push_back(past_run(*record));
    }
  }
  return past;
}

ExpectedCosts::ExpectedCosts(const std::vector<PastRun>& past) {
  for (const PastRun& run : past)
    past_[run.kind].push_back(run);
}

std::optional<ExpectedCost> ExpectedCosts::of(const Job& job, std::int64_t train_images) {
  const Asked asked{cost_kind(job.identity.parts), train_images, job.spec.training.epochs,
                    job.spec.training.steps};
  const auto [known, is_new] = known_.try_emplace(asked);
  const auto past = past_.find(asked.kind);
  if (is_new && past != past_.end()) known->second = median_of(past->second, asked);
  return known->second;
}

std::optional<ExpectedCost> ExpectedCosts::median_of(const std::vector<PastRun>& past,
                                                     const Asked& asked) {
  std::vector<double> seconds;
  std::vector<std::int64_t> host, device;
  for (const PastRun& run : past) {
    const double images = ratio(static_cast<double>(asked.train_images), run.train_images);
    const double epochs = ratio(static_cast<double>(asked.epochs), run.epochs);
    const auto steps = static_cast<double>(asked.steps);
    seconds.push_back(run.fixed_seconds + run.warm_up_seconds * images +
                      run.train_seconds *
                          (steps > 0.0 ? ratio(steps, run.steps) : images * epochs));
    host.push_back(run.cost.peak_host_bytes);
    if (run.cost.peak_device_bytes) device.push_back(*run.cost.peak_device_bytes);
  }
  ExpectedCost expected;
  expected.cost.seconds = median(seconds);
  expected.cost.peak_host_bytes = median(host);
  if (!device.empty()) expected.cost.peak_device_bytes = median(device);
  expected.runs = seconds.size();
  return expected;
}

}  // namespace petlab::study
