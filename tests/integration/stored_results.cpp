#include "stored_results.hpp"

#include "petlab/results/run_store.hpp"

namespace petlab::tests {

std::map<std::string, StoredResult> stored_results(const std::filesystem::path& file) {
  std::map<std::string, StoredResult> all;
  const results::RunStore store(file, results::OpenMode::read_only);
  for (const results::StudyRun& run : store.runs("small")) {
    if (run.status != results::RunStatus::done) continue;
    const auto record = store.load(run.plan.hash);
    StoredResult& result = all[run.plan.row_label];
    result.trained_hash = record->trained_hash;
    for (const results::TaskResult& task : record->tasks) {
      result.test_losses.push_back(task.loss);
      for (const results::ImagePrediction& image : task.predictions)
        result.predictions.emplace_back(image.predicted, image.probability);
    }
    for (const results::EpochRecord& epoch : record->epochs)
      result.losses.push_back(epoch.loss);
  }
  return all;
}

}  // namespace petlab::tests
