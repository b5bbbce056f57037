#include "csv_line.hpp"
#include "renderers.hpp"

#include <map>

namespace petlab::reports {
namespace {

void add_estimate(CsvLine& line, const std::optional<Estimate>& estimate) {
  line.add(estimate ? std::optional<double>(estimate->mean) : std::nullopt);
  line.add(estimate ? estimate->half_width : std::nullopt);
  line.add(estimate ? std::optional<std::int64_t>(estimate->n) : std::nullopt);
}

void add_comparison(CsvLine& line, const std::optional<Comparison>& comparison) {
  add_estimate(line, comparison ? std::optional<Estimate>(comparison->difference) : std::nullopt);
  line.add(comparison ? comparison->p : std::nullopt);
  line.add(comparison ? comparison->p_holm : std::nullopt);
}

CsvLine row_start(const Report& report, const Row& row) {
  CsvLine line;
  line.add(report.study).add(row.label).add(row.method).add(row.sharing).add(row.grouping);
  return line;
}

}  // namespace

std::string table_csv(const Report& report) {
  CsvLine head;
  for (const char* name : {"study", "row", "method", "sharing", "grouping"}) {
    head.add(std::string(name));
  }
  for (const std::string& task : report.tasks)
    head.add("accuracy " + task);
  for (const char* name : {"mean_accuracy",
                           "mean_half_width_95",
                           "n",
                           "gain_over_zero_shot",
                           "gain_half_width_95",
                           "gain_n",
                           "gain_p_paired_t",
                           "gain_p_holm",
                           "difference_to_best",
                           "best_half_width_95",
                           "best_n",
                           "best_p_paired_t",
                           "best_p_holm",
                           "among_best",
                           "multi_task_gain",
                           "multi_task_gain_half_width_95",
                           "multi_task_gain_n",
                           "trainable_min",
                           "trainable_max",
                           "trainable_percent_of_backbone",
                           "train_seconds_median",
                           "evaluate_seconds_median",
                           "planned",
                           "failed",
                           "missing"}) {
    head.add(std::string(name));
  }
  std::string text = head.text();
  for (const Row& row : report.rows) {
    CsvLine line = row_start(report, row);
    for (const auto& accuracy : row.task_accuracy)
      line.add(accuracy);
    add_estimate(line, row.mean);
    add_comparison(line, row.versus_zero_shot);
    add_comparison(line, row.versus_best);
    line.add(std::string(row.among_best ? "yes" : "no"));
    add_estimate(line, row.multi_task_gain);
    line.add(row.trainable ? std::optional<std::int64_t>(row.trainable->first) : std::nullopt);
    line.add(row.trainable ? std::optional<std::int64_t>(row.trainable->second) : std::nullopt);
    line.add(row.trainable_percent).add(row.train_seconds).add(row.evaluate_seconds);
    line.add(std::int64_t{row.planned}).add(std::int64_t{row.failed});
    line.add(static_cast<std::int64_t>(row.missing_seeds.size()));
    text += line.text();
  }
  return text;
}

std::string runs_csv(const Report& report) {
  std::string text =
      "study,row,method,sharing,grouping,seed,status,task,n_train,n_test,n_correct,accuracy,loss,"
      "trainable,train_seconds,evaluate_seconds,step_flops,image_flops,run,error\n";
  constexpr int kEmptyAfterStatus = 12;
  const auto without_results = [&](const Row& row, std::uint64_t seed, const std::string& status,
                                   const std::string& error) {
    CsvLine line = row_start(report, row);
    line.add(static_cast<std::int64_t>(seed)).add(status);
    for (int i = 0; i < kEmptyAfterStatus; ++i)
      line.add(std::string());
    return line.add(error).text();
  };
  std::multimap<std::string, const Failure*> failures;
  for (const Failure& failure : report.failures)
    failures.emplace(failure.label, &failure);
  for (const Row& row : report.rows) {
    for (const SeedResult& seed : row.seeds) {
      for (const auto& task : seed.tasks) {
        CsvLine line = row_start(report, row);
        line.add(static_cast<std::int64_t>(seed.seed)).add(std::string("done")).add(task.task);
        line.add(task.n_train).add(task.n_test).add(task.n_correct).add(task.accuracy());
        line.add(task.loss).add(seed.trainable).add(seed.train_seconds);
        line.add(seed.evaluate_seconds).add(seed.step_flops).add(seed.image_flops);
        line.add(seed.run).add(std::string());
        text += line.text();
      }
    }
    const auto [first, last] = failures.equal_range(row.label);
    for (auto failure = first; failure != last; ++failure)
      text += without_results(row, failure->second->seed, "failed", failure->second->error);
    for (const std::uint64_t seed : row.missing_seeds) {
      text += without_results(row, seed, "missing", "");
    }
  }
  return text;
}

}  // namespace petlab::reports
