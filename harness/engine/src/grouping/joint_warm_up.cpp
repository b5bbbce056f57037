#include "grouping/joint_warm_up.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/precision.hpp"
#include "petlab/engine/seeds.hpp"
#include "petlab/engine/tasks.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include <numeric>
#include <string>

namespace petlab::engine {

JointWarmUp::JointWarmUp(const WarmUpContext& context)
    : context_(context),
      adapters_(make_adapters(context.method, context.method_name,
                              adapter_source(context, context.tasks),
                              arrange(Sharing::joint, names_of(context.tasks)),
                              derive_seed(context.seed, {"warm-up"}), context.where)),
      parameters_(adapters_.trainable()),
      backbone_(context.backbone, adapters_, context.tasks, context.text_template,
                context.task_dependent, context.checks, context.where),
      noise_(at::detail::createCPUGenerator(derive_seed(context.seed, {"warm-up", "noise"}))),
      optimizer_(context.training, parameters_, adapters_.rate_factors(context.training)),
      batches_(context, "warm-up"),
      all_(context.tasks.size()) {
  std::iota(all_.begin(), all_.end(), 0);
  optimizer_.set_learning_rate(context.training.learning_rate);
  if (parameters_.empty()) {
    throw base::Error(base::ErrorKind::config,
                      "method '" + context.method_name +
                          "' trains nothing, so there are no gradients to group tasks by");
  }
}

std::vector<sdk::SharedParameter> JointWarmUp::shared_parameters() const {
  std::vector<sdk::SharedParameter> result;
  std::int64_t offset = 0;
  for (const at::Tensor& parameter : parameters_) {
    for (const auto& [name, value] : adapters_.parameters.front()) {
      if (!value.is_same(parameter)) continue;
      result.push_back({name, parameter.sizes().vec(), offset});
      break;
    }
    offset += parameter.numel();
  }
  return result;
}

std::vector<sdk::NamedTensor> JointWarmUp::values() const {
  std::vector<sdk::NamedTensor> copies;
  for (const auto& [name, value] : adapters_.parameters.front())
    copies.push_back({name, value.detach().clone()});
  return copies;
}

std::vector<at::Tensor> JointWarmUp::forward(at::Generator& noise) {
  const AutocastScope autocast(context_.backbone.device(), context_.training.precision);
  const AdaptedBackbone::Prepared prepared = backbone_.prepare(all_, &noise);
  std::vector<at::Tensor> losses;
  for (std::size_t t = 0; t < all_.size(); ++t) {
    losses.push_back(backbone_.losses(prepared, {batch_.images[t]}, {batch_.labels[t]}).front());
  }
  return losses;
}

at::Tensor JointWarmUp::task_gradients() {
  batch_ = batches_.next(backbone_);
  noise_before_ = noise_.clone();
  const std::vector<at::Tensor> losses = forward(noise_);
  batches_.add(losses);
  std::vector<at::Tensor> rows;
  for (std::size_t t = 0; t < losses.size(); ++t) {
    // What the tasks share, the prompts and the class features, is walked through once a task.
    const bool last = t + 1 == losses.size();
    const auto gradients = torch::autograd::grad({losses[t]}, parameters_, /*grad_outputs=*/{},
                                                 /*retain_graph=*/!last, /*create_graph=*/false,
                                                 /*allow_unused=*/true);
    std::vector<at::Tensor> flat;
    for (std::size_t p = 0; p < gradients.size(); ++p) {
      flat.push_back(gradients[p].defined() ? gradients[p].reshape({-1})
                                            : at::zeros_like(parameters_[p]).reshape({-1}));
    }
    rows.push_back(at::cat(flat));
  }
  losses_ = at::stack(losses).detach().to(at::kCPU, at::kDouble);
  gradients_ = at::stack(rows);
  return gradients_.to(at::kCPU, at::kFloat).clone();
}

void JointWarmUp::check_looked(const char* function) const {
  if (!gradients_.defined()) {
    throw base::Error(base::ErrorKind::plugin, std::string("a grouping called ") + function +
                                                   " before it asked for gradients");
  }
}

at::Tensor JointWarmUp::task_losses() const {
  check_looked("task_losses()");
  return losses_.clone();
}

at::Tensor JointWarmUp::losses_after_step(std::int64_t task, double learning_rate) {
  check_looked("losses_after_step()");
  if (task < 0 || task >= gradients_.size(0)) {
    throw base::Error(base::ErrorKind::plugin, "a grouping looked ahead along task " +
                                                   std::to_string(task) + ", expected 0 to " +
                                                   std::to_string(gradients_.size(0) - 1));
  }
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> before;
  std::int64_t offset = 0;
  for (at::Tensor& parameter : parameters_) {
    before.push_back(parameter.clone());
    parameter.sub_(gradients_[task].narrow(0, offset, parameter.numel()).view(parameter.sizes()),
                   learning_rate);
    offset += parameter.numel();
  }
  // With the noise that the losses before were taken with: only the step makes the difference.
  at::Generator noise = noise_before_.clone();
  const std::vector<at::Tensor> losses = forward(noise);
  for (std::size_t p = 0; p < parameters_.size(); ++p)
    parameters_[p].copy_(before[p]);
  return at::stack(losses).to(at::kCPU, at::kDouble);
}

void JointWarmUp::step() {
  check_looked("step()");
  const at::Tensor together =
      context_.training.task_loss == TaskLoss::sum ? gradients_.sum(0) : gradients_.mean(0);
  std::int64_t offset = 0;
  for (at::Tensor& parameter : parameters_) {
    parameter.mutable_grad() =
        together.narrow(0, offset, parameter.numel()).view(parameter.sizes()).clone();
    offset += parameter.numel();
  }
  optimizer_.step();
  optimizer_.zero_gradients();
  gradients_.reset();
}

void JointWarmUp::joint_step() {
  gradients_.reset();
  batch_ = batches_.next(backbone_);
  const std::vector<at::Tensor> losses = forward(noise_);
  batches_.add(losses);
  optimizer_.zero_gradients();
  combine(losses, context_.training.task_loss).backward();
  optimizer_.step();
  optimizer_.zero_gradients();
}

}  // namespace petlab::engine
