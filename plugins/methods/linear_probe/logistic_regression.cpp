#include "logistic_regression.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dot.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <deque>
#include <utility>

namespace petlab::plugins::linear_probe {
namespace {

constexpr std::size_t kPairs = 10;
constexpr int kHalvings = 40;
constexpr double kSufficient = 1e-4;  // share of the slope that a step must gain (Armijo)

struct Value {
  double loss = 0.0;
  at::Tensor gradient;  ///< [n_classes * (d + 1)]
};

/// The objective over one vector: W row by row, then b.
class Objective {
 public:
  Objective(const std::vector<Examples>& tasks, std::int64_t classes, double c)
      : tasks_(tasks), classes_(classes), width_(tasks.front().features.size(1)), c_(c) {
    for (const Examples& task : tasks)
      targets_.push_back(at::one_hot(task.labels, task.rows.size(0)).to(at::kDouble));
  }

  [[nodiscard]] std::int64_t size() const { return classes_ * (width_ + 1); }
  [[nodiscard]] Classifier classifier(const at::Tensor& at) const {
    return {at.narrow(0, 0, classes_ * width_).view({classes_, width_}),
            at.narrow(0, classes_ * width_, classes_)};
  }

  [[nodiscard]] Value operator()(const at::Tensor& at) const {
    const auto [weight, bias] = classifier(at);
    at::Tensor of_weight = weight / c_;
    at::Tensor of_bias = at::zeros({classes_}, at::kDouble);
    Value value;
    value.loss = weight.square().sum().item<double>() / (2.0 * c_);
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      const auto& [features, labels, rows] = tasks_[t];
      const at::Tensor logits = at::matmul(features, weight.index_select(0, rows).t()) +
                                bias.index_select(0, rows);  // [n, n_classes of the task]
      const at::Tensor log_shares = at::log_softmax(logits, 1);
      value.loss -= (log_shares * targets_[t]).sum().item<double>();
      const at::Tensor error = log_shares.exp() - targets_[t];
      of_weight = of_weight.index_add(0, rows, at::matmul(error.t(), features));
      of_bias = of_bias.index_add(0, rows, error.sum(0));
    }
    value.gradient = at::cat({of_weight.flatten(), of_bias});
    return value;
  }

 private:
  const std::vector<Examples>& tasks_;
  std::int64_t classes_;
  std::int64_t width_;
  double c_;
  std::vector<at::Tensor> targets_;  ///< of each task: [n, n_classes of the task], one-hot
};

double product(const at::Tensor& a, const at::Tensor& b) {
  return at::dot(a, b).item<double>();
}

/// A step and the change of the gradient over it.
struct Pair {
  at::Tensor step;
  at::Tensor change;
  double curvature = 0.0;
};

/// The two-loop recursion of L-BFGS: the gradient by the inverse Hessian that the pairs tell.
at::Tensor direction(const std::deque<Pair>& pairs, const at::Tensor& gradient) {
  at::Tensor result = -gradient;
  std::vector<double> shares;
  for (auto pair = pairs.rbegin(); pair != pairs.rend(); ++pair) {
    shares.push_back(product(pair->step, result) / pair->curvature);
    result = result - pair->change * shares.back();
  }
  if (!pairs.empty()) {
    const Pair& last = pairs.back();
    result = result * (last.curvature / product(last.change, last.change));
  }
  for (const Pair& pair : pairs) {
    const double share = shares.back();
    shares.pop_back();
    result = result + pair.step * (share - product(pair.change, result) / pair.curvature);
  }
  return result;
}

}  // namespace

Classifier fit(const std::vector<Examples>& tasks, std::int64_t classes, double c,
               std::int64_t most_steps) {
  const at::NoGradGuard no_grad;
  const Objective objective(tasks, classes, c);
  double examples = 0.0;
  for (const Examples& task : tasks)
    examples += static_cast<double>(task.features.size(0));
  at::Tensor at = at::zeros({objective.size()}, at::kDouble);
  Value value = objective(at);
  std::deque<Pair> pairs;
  for (std::int64_t step = 0; step < most_steps; ++step) {
    if (value.gradient.abs().max().item<double>() <= 1e-7 * std::max(1.0, examples)) break;
    const at::Tensor way = direction(pairs, value.gradient);
    const double slope = product(way, value.gradient);
    // The first step is as long as its gradient is not: the curvature is not known yet.
    double length = pairs.empty() ? 1.0 / std::max(1.0, value.gradient.norm().item<double>()) : 1.0;
    at::Tensor next;
    Value there;
    bool gains = false;
    for (int half = 0; half < kHalvings && !gains; ++half, length *= 0.5) {
      next = at + way * length;
      there = objective(next);
      gains = there.loss <= value.loss + kSufficient * length * slope;
    }
    if (!gains) break;  // no number between here and there: the minimum to the last bits
    Pair pair{next - at, there.gradient - value.gradient};
    pair.curvature = product(pair.step, pair.change);
    if (pair.curvature > 0.0) pairs.push_back(std::move(pair));
    if (pairs.size() > kPairs) pairs.pop_front();
    at = next;
    value = std::move(there);
  }
  const Classifier found = objective.classifier(at);
  return {found.weight.clone(), found.bias.clone()};
}

}  // namespace petlab::plugins::linear_probe
