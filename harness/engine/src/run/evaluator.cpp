#include "petlab/engine/evaluator.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/train_images.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace petlab::engine {
namespace {

/// Images in one forward. What fits into the caches of a core is a fifth faster there than a larger
/// batch; a GPU wants much at once.
std::int64_t test_batch(const clip::Backbone& backbone) {
  return backbone.device().is_cpu() ? 32 : 256;
}

/// A batch of a task's test images.
struct TestBatch {
  std::int64_t task = 0;
  std::int64_t first = 0;  ///< of the task's images
  std::int64_t count = 0;
  std::int64_t row = 0;  ///< of the first, over all tasks
};

std::vector<TestBatch> test_batches(const std::vector<LabelledImages>& test, std::int64_t size) {
  std::vector<TestBatch> batches;
  std::int64_t row = 0;
  for (std::size_t t = 0; t < test.size(); ++t)
    for (std::int64_t first = 0; first < test[t].size(); first += size) {
      const std::int64_t count = std::min(size, test[t].size() - first);
      batches.push_back({static_cast<std::int64_t>(t), first, count, row});
      row += count;
    }
  return batches;
}

/// What is said of a test image: the columns of a table of doubles.
enum Column : std::int64_t { kPredicted, kProbability, kLoss, kColumns };

/// Puts what is said of a batch into its rows of the table.
void score(const at::Tensor& logits, const std::int64_t* labels, double* row_of_table) {
  const at::Tensor log_probability =
      at::log_softmax(logits, 1).to(at::kCPU, at::kDouble);  // [B, C]
  const std::int64_t n_classes = log_probability.size(1);
  const double* row = log_probability.const_data_ptr<double>();
  for (std::int64_t i = 0; i < log_probability.size(0); ++i, row += n_classes) {
    const double* best = std::max_element(row, row + n_classes);  // the first of equals
    row_of_table[kPredicted] = static_cast<double>(best - row);
    row_of_table[kProbability] = std::exp(*best);
    row_of_table[kLoss] = -row[labels[i]];
    row_of_table += kColumns;
  }
}

/// The rows of each batch from the rank that computed it.
at::Tensor gather_table(RankGroup& ranks, const at::Tensor& mine,
                        const std::vector<TestBatch>& batches) {
  const at::Tensor all = ranks.gather(mine);
  at::Tensor table = at::empty_like(mine);
  for (int rank = 0; rank < ranks.size(); ++rank) {
    const auto [begin, end] =
        part_of_rank(static_cast<std::int64_t>(batches.size()), rank, ranks.size());
    for (std::int64_t b = begin; b < end; ++b) {
      const TestBatch& batch = batches[static_cast<std::size_t>(b)];
      table.narrow(0, batch.row, batch.count).copy_(all[rank].narrow(0, batch.row, batch.count));
    }
  }
  return table;
}

/// Reads a task's rows of the table.
void read_table(const double* row, const LabelledImages& test, results::TaskResult& result) {
  for (const std::int64_t label : test.labels) {
    if (!std::isfinite(row[kLoss]) || !std::isfinite(row[kProbability])) {
      throw base::Error(base::ErrorKind::numeric, "the class scores of task '" + result.task +
                                                      "' are not finite for test image " +
                                                      std::to_string(result.predictions.size()));
    }
    const auto predicted = static_cast<std::int64_t>(row[kPredicted]);
    result.predictions.push_back({.predicted = predicted, .probability = row[kProbability]});
    result.n_correct += predicted == label ? 1 : 0;
    result.loss += row[kLoss];
    row += kColumns;
  }
}

/// FLOPs of some work.
template <class Work>
double counted(Work&& work) {
  double flops = 0.0;
  {
    const FlopScope counting(flops);
    work();
  }
  return flops;
}

}  // namespace

std::vector<results::TaskResult> evaluate(
    AdaptedBackbone& backbone, const clip::Backbone& images_of, const std::vector<Task>& tasks,
    const std::vector<LabelledImages>& test, Precision precision, Progress& progress,
    std::optional<double>* image_flops, ImageFeatures* features, RankGroup* ranks) {
  const c10::InferenceMode inference;
  const AutocastScope autocast(images_of.device(), precision);
  std::vector<std::int64_t> all(tasks.size());
  std::iota(all.begin(), all.end(), 0);
  std::int64_t total = 0;
  for (const LabelledImages& set : test)
    total += set.size();
  progress.begin("evaluate", total);

  const AdaptedBackbone::Prepared prepared = backbone.prepare(all);
  const bool is_kept = features != nullptr && !backbone.modifies_vision();
  const auto pixels_of = [&](const LabelledImages& set, const std::vector<std::int64_t>& rows) {
    return to_pixels(set.images.index_select(0, at::tensor(rows, at::kLong)), images_of);
  };
  const auto logits_of = [&](std::int64_t task, const LabelledImages& set,
                             const std::vector<std::int64_t>& rows, bool from_kept) {
    TaskImages input{.task = task, .pixels = {}, .features = {}};
    if (from_kept)
      input.features = features->of(static_cast<std::size_t>(task), 0, rows);
    else
      input.pixels = pixels_of(set, rows);
    return backbone.logits(prepared, {input}).front();
  };
  const std::vector<TestBatch> batches = test_batches(test, test_batch(images_of));
  const auto n_batches = static_cast<std::int64_t>(batches.size());
  const auto [begin, end] = ranks == nullptr
                                ? std::pair<std::int64_t, std::int64_t>{0, n_batches}
                                : part_of_rank(n_batches, ranks->rank(), ranks->size());
  const std::int64_t encoded_before = backbone.images_encoded();
  at::Tensor table = at::zeros({total, kColumns}, at::kDouble);
  std::int64_t done = 0;
  for (std::int64_t b = begin; b < end; ++b) {
    const auto& [task, first, count, row] = batches[static_cast<std::size_t>(b)];
    const auto t = static_cast<std::size_t>(task);
    const std::vector<std::int64_t> rows(test[t].rows.begin() + first,
                                         test[t].rows.begin() + first + count);
    if (image_flops != nullptr && done == 0 && is_kept)
      *image_flops = counted([&] { (void)logits_of(task, test[t], {rows.front()}, false); });
    at::Tensor logits;
    const auto classify = [&] { logits = logits_of(task, test[t], rows, is_kept); };
    if (image_flops != nullptr && done == 0 && !is_kept)
      *image_flops = counted(classify) / static_cast<double>(count);
    else
      classify();
    score(logits, test[t].labels.data() + first, table.mutable_data_ptr<double>() + row * kColumns);
    done += count;
    progress.update(done, tasks[t].name);
  }
  if (ranks != nullptr) {
    table = gather_table(*ranks, table, batches);
    const auto mine = static_cast<double>(backbone.images_encoded() - encoded_before);
    backbone.count_images(static_cast<std::int64_t>(sum_over_ranks(*ranks, mine) - mine));
  }

  std::vector<results::TaskResult> results;
  const double* row = table.const_data_ptr<double>();
  for (std::size_t t = 0; t < tasks.size(); ++t) {
    results::TaskResult& result = results.emplace_back();
    result.task = tasks[t].name;
    result.n_train = tasks[t].train.size();
    result.n_test = test[t].size();
    read_table(row, test[t], result);
    row += result.n_test * kColumns;
    if (result.n_test > 0) result.loss /= static_cast<double>(result.n_test);
  }
  return results;
}

}  // namespace petlab::engine
