#include "grouping/branch_warm_up.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/seeds.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

namespace petlab::engine {
namespace {

std::vector<Task> once_a_branch(const std::vector<Task>& tasks, std::int64_t branches) {
  std::vector<Task> all;
  for (std::int64_t branch = 0; branch < branches; ++branch)
    all.insert(all.end(), tasks.begin(), tasks.end());
  return all;
}

/// One adapter a branch. They have the same owner, and with it the same initial values.
Arrangement arrange_branches(std::size_t tasks, std::int64_t branches) {
  Arrangement arrangement;
  for (std::int64_t branch = 0; branch < branches; ++branch) {
    arrangement.owners.push_back({Scope::group, "branch", "branch"});
    for (std::size_t task = 0; task < tasks; ++task)
      arrangement.of_task.push_back({static_cast<std::size_t>(branch)});
  }
  return arrangement;
}

}  // namespace

BranchWarmUp::BranchWarmUp(const WarmUpContext& context, std::int64_t branches)
    : context_(context),
      branches_(branches),
      tasks_(once_a_branch(context.tasks, branches)),
      adapters_(make_adapters(context.method, context.method_name, adapter_source(context, tasks_),
                              arrange_branches(context.tasks.size(), branches),
                              derive_seed(context.seed, {"branches"}), context.where)),
      parameters_(adapters_.trainable()),
      backbone_(context.backbone, adapters_, tasks_, context.text_template, context.task_dependent,
                context.checks, context.where),
      noise_(at::detail::createCPUGenerator(derive_seed(context.seed, {"branches", "noise"}))),
      optimizer_(context.training, parameters_, adapters_.rate_factors(context.training)),
      batches_(context, "branches"),
      all_(tasks_.size()) {
  std::iota(all_.begin(), all_.end(), 0);
  optimizer_.set_learning_rate(context.training.learning_rate);
  if (parameters_.empty()) {
    throw base::Error(base::ErrorKind::config,
                      "method '" + context.method_name +
                          "' trains nothing, so there are no branches to group tasks by");
  }
}

at::Tensor BranchWarmUp::losses() {
  const WarmUpBatch batch = batches_.next(backbone_);
  const std::size_t n_tasks = batch.images.size();
  std::vector<TaskImages> images;
  std::vector<at::Tensor> labels;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    images.push_back(batch.images[i % n_tasks]);
    images.back().task = static_cast<std::int64_t>(i);
    labels.push_back(batch.labels[i % n_tasks]);
  }
  const AutocastScope autocast(context_.backbone.device(), context_.training.precision);
  const AdaptedBackbone::Prepared prepared = backbone_.prepare(all_, &noise_);
  const std::vector<at::Tensor> losses = backbone_.losses(prepared, images, labels);
  const at::Tensor of_branch = at::stack(losses).view({branches_, -1}).t();  // [n_tasks, branches]
  const at::Tensor means = of_branch.detach().mean(1);
  batches_.add(means.unbind());
  return of_branch;
}

void BranchWarmUp::step(const at::Tensor& loss, const std::vector<at::Tensor>& own,
                        double learning_rate) {
  if (own_optimizer_ == nullptr) {
    own_ = own;
    Training training = context_.training;
    training.optimizer = OptimizerKind::adamw;  // without decay: Adam
    training.weight_decay = 0.0;
    training.epsilon = Training{}.epsilon;
    training.learning_rate = learning_rate;
    own_optimizer_ = std::make_unique<Optimizer>(training, own_);
  }
  const auto same = [](const at::Tensor& a, const at::Tensor& b) { return a.is_same(b); };
  if (!std::equal(own.begin(), own.end(), own_.begin(), own_.end(), same)) {
    throw base::Error(base::ErrorKind::plugin,
                      "a grouping gave branch_step() other tensors of its own than before");
  }
  if (!loss.defined() || loss.numel() != 1 || !loss.requires_grad()) {
    throw base::Error(base::ErrorKind::plugin,
                      "a grouping gave branch_step() a loss that is not one number made from "
                      "branch_losses()");
  }
  optimizer_.zero_gradients();
  own_optimizer_->zero_gradients();
  loss.backward();
  optimizer_.step();
  own_optimizer_->set_learning_rate(learning_rate);
  own_optimizer_->step();
}

}  // namespace petlab::engine
