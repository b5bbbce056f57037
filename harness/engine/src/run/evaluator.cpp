#include "petlab/engine/evaluator.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/flop_counter.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/train_images.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace petlab::engine {
namespace {

/// Images in one forward. What fits into the caches of a core is a fifth faster there than a larger
/// batch; a GPU wants much at once.
std::int64_t test_batch(const clip::Backbone& backbone) {
  return backbone.device().is_cpu() ? 32 : 256;
}

void add_batch(const at::Tensor& logits, const std::int64_t* labels, results::TaskResult& result) {
  const at::Tensor log_probability =
      at::log_softmax(logits, 1).to(at::kCPU, at::kDouble);  // [B, C]
  const std::int64_t n_classes = log_probability.size(1);
  const double* row = log_probability.const_data_ptr<double>();
  for (std::int64_t i = 0; i < log_probability.size(0); ++i, row += n_classes) {
    const double* best = std::max_element(row, row + n_classes);  // the first of equals
    const double loss = -row[labels[i]];
    if (!std::isfinite(loss) || !std::isfinite(*best)) {
      throw base::Error(base::ErrorKind::numeric, "the class scores of task '" + result.task +
                                                      "' are not finite for test image " +
                                                      std::to_string(result.predictions.size()));
    }
    result.predictions.push_back({.predicted = best - row, .probability = std::exp(*best)});
    result.n_correct += best - row == labels[i] ? 1 : 0;
    result.loss += loss;
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
    std::optional<double>* image_flops, ImageFeatures* features) {
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
  const std::int64_t batch = test_batch(images_of);
  std::vector<results::TaskResult> results;
  std::int64_t done = 0;
  for (const std::int64_t task : all) {
    const auto t = static_cast<std::size_t>(task);
    results::TaskResult& result = results.emplace_back();
    result.task = tasks[t].name;
    result.n_train = tasks[t].train.size();
    result.n_test = test[t].size();
    for (std::int64_t first = 0; first < test[t].size(); first += batch) {
      const std::int64_t count = std::min(batch, test[t].size() - first);
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
      add_batch(logits, test[t].labels.data() + first, result);
      done += count;
      progress.update(done, result.task);
    }
    if (result.n_test > 0) result.loss /= static_cast<double>(result.n_test);
  }
  return results;
}

}  // namespace petlab::engine
