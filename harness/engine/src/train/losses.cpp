#include "petlab/engine/losses.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>

#include <cmath>
#include <utility>

namespace petlab::engine {
namespace {

// Steps between two looks at the losses on a GPU.
constexpr std::size_t kDeviceBlock = 32;

}  // namespace

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels) {
  return at::cross_entropy_loss(logits, labels);
}

at::Tensor combine(const std::vector<at::Tensor>& task_losses, TaskLoss how) {
  if (task_losses.size() == 1) return task_losses.front();
  const at::Tensor all = at::stack(task_losses);
  return how == TaskLoss::sum ? all.sum() : all.mean();
}

void LossLog::resume_epoch(std::int64_t epoch, std::int64_t steps, double sum, double last) {
  epoch_ = epoch;
  steps_ = steps;
  sum_ = sum;
  last_ = last;
}

double LossLog::sum() {
  fetch();
  return sum_;
}

void LossLog::add(const std::vector<std::int64_t>& tasks, const std::vector<at::Tensor>& losses,
                  std::vector<double> shares) {
  pending_.push_back({steps_++, tasks, at::stack(losses).detach(), std::move(shares)});
  if (losses.front().is_cpu() || pending_.size() >= kDeviceBlock) fetch();
}

void LossLog::fetch() {
  for (const Pending& step : pending_) {
    const at::Tensor losses = step.losses.to(at::kCPU, at::kDouble);
    double mean = 0.0;
    for (std::size_t i = 0; i < step.tasks.size(); ++i) {
      const double loss = losses.const_data_ptr<double>()[i];
      if (!std::isfinite(loss)) {
        const Task& task = tasks_[static_cast<std::size_t>(step.tasks[i])];
        throw base::Error(base::ErrorKind::numeric,
                          "the loss of task '" + task.name + "' is not finite in epoch " +
                              std::to_string(epoch_) + ", step " + std::to_string(step.step));
      }
      mean += step.shares.empty() ? loss / static_cast<double>(step.tasks.size())
                                  : loss * step.shares[i];
    }
    sum_ += mean;
    last_ = mean;
  }
  pending_.clear();
}

double LossLog::finish_epoch() {
  fetch();
  return steps_ > 0 ? sum_ / static_cast<double>(steps_) : 0.0;
}

}  // namespace petlab::engine
