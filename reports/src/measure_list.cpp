#include "measure_list.hpp"

#include "numbers.hpp"

#include <algorithm>

namespace petlab::reports {
namespace {

template <double TaskMeasures::* member>
std::optional<double> measured(const SeedResult& run, std::size_t task) {
  if (task >= run.measures.size() || !run.measures[task]) return std::nullopt;
  return (*run.measures[task]).*member;
}

std::optional<double> log_loss(const SeedResult& run, std::size_t task) {
  const results::TaskResult& result = run.tasks[task];
  return result.n_test > 0 ? std::optional<double>(result.loss) : std::nullopt;
}

std::optional<double> worst_domain(const SeedResult& run) {
  std::optional<double> worst;
  for (const results::TaskResult& task : run.tasks)
    worst = std::min(worst.value_or(1.0), task.accuracy());
  return worst;
}

}  // namespace

const std::vector<Measure>& measure_list() {
  static const std::vector<Measure> list = {
      {.name = "worst_domain_accuracy",
       .title = "worst domain",
       .unit = "%",
       .scale = 100.0,
       .reading = "\nworst domain: lowest accuracy of a domain with each seed, then the mean over "
                  "seeds.",
       .of_run = worst_domain},
      {.name = "macro_accuracy",
       .title = "macro accuracy",
       .unit = "%",
       .scale = 100.0,
       .reading = "\nmacro accuracy: mean over the classes that have test images.",
       .of_task = measured<&TaskMeasures::macro_accuracy>},
      {.name = "macro_f1",
       .title = "macro F1",
       .unit = "%",
       .scale = 100.0,
       .reading = "\nmacro F1: mean over the classes that have test images or are an answer.",
       .of_task = measured<&TaskMeasures::macro_f1>},
      {.name = "calibration_error",
       .title = "ECE",
       .unit = "%",
       .scale = 100.0,
       .reading = "\nECE: expected calibration error, 15 bins of equal width, confidence is the "
                  "probability of the answer.",
       .of_task = measured<&TaskMeasures::calibration_error>},
      {.name = kLossMeasure,
       .title = "NLL",
       .unit = "nats",
       .places = 4,
       .reading = "\nNLL: negative log-likelihood of the true class, mean over test images.",
       .of_task = log_loss}};
  return list;
}

std::optional<double> value_of(const Measure& measure, const SeedResult& run) {
  if (measure.of_run != nullptr) return measure.of_run(run);
  if (run.tasks.empty()) return std::nullopt;
  double sum = 0.0;
  for (std::size_t task = 0; task < run.tasks.size(); ++task) {
    const std::optional<double> value = measure.of_task(run, task);
    if (!value) return std::nullopt;
    sum += *value;
  }
  return sum / static_cast<double>(run.tasks.size());
}

std::string measure_text(const Measure& measure, const std::optional<double>& value) {
  return value ? fixed(measure.scale * *value, measure.places) : "";
}

}  // namespace petlab::reports
