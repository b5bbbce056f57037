#include "petlab/reports/shown_images.hpp"

#include "chart_rows.hpp"
#include "paired_answers.hpp"
#include "petlab/reports/report.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace petlab::reports {
namespace {

using Splits = std::map<std::string, const results::SplitRecord*>;  // by split_key()

Splits splits_of(const Report& report) {
  Splits splits;
  for (const results::SplitRecord& split : report.splits)
    splits.emplace(split.hash + "/" + split.dataset.hash, &split);
  return splits;
}

// Of a large study the report keeps the predictions of some runs only.
bool has_predictions(const SeedResult& run, const results::SplitRecord& split) {
  return std::all_of(split.tasks.begin(), split.tasks.end(), [&](const auto& task) {
    return std::any_of(run.tasks.begin(), run.tasks.end(), [&](const auto& result) {
      return result.task == task.task && result.predictions.size() == task.test.size();
    });
  });
}

// Over the seeds with which both were tested on the same images; counts into `shown`.
PairedAnswers answers_of(const Row& best, const Row& row, const Splits& splits, RowImages& shown) {
  PairedAnswers answers;
  for (const SeedResult& a : best.seeds) {
    const auto b = std::find_if(row.seeds.begin(), row.seeds.end(),
                                [&](const SeedResult& run) { return run.seed == a.seed; });
    if (b == row.seeds.end() || split_key(a) != split_key(*b)) continue;
    const auto split = splits.find(split_key(a));
    if (split == splits.end() || !has_predictions(a, *split->second) ||
        !has_predictions(*b, *split->second))
      continue;
    const Wins wins = answers.add(RunPair(&a, &*b), *split->second);
    shown.only_best += wins.a;
    shown.only_row += wins.b;
  }
  return answers;
}

}  // namespace

void show_images(Report& report, std::size_t most, const Thumbnail& thumbnail) {
  report.shown_images.emplace();
  if (!report.best) return;
  const Splits splits = splits_of(report);
  std::map<std::pair<std::string, std::string>, std::string> known;  // by task and sample id
  for (const std::size_t index : chart_rows(report).rows) {
    if (index == report.best || report.rows[index].seeds.empty()) continue;
    RowImages shown{.row = index};
    const PairedAnswers answers =
        answers_of(report.rows[*report.best], report.rows[index], splits, shown);
    for (const std::string& task : answers.tasks())
      shown.tested += static_cast<std::int64_t>(answers.images(task).size());
    std::vector<Disagreement> found = answers.disagreements();
    shown.different = static_cast<std::int64_t>(found.size());
    found.resize(std::min(most, found.size()));
    for (Disagreement& image : found) {
      const auto [png, is_new] = known.try_emplace({image.task, image.picture});
      if (is_new) png->second = thumbnail(image.task, image.picture);
      shown.images.push_back({std::move(image), png->second});
    }
    report.shown_images->push_back(std::move(shown));
  }
}

}  // namespace petlab::reports
