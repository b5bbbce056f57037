#include "petlab/engine/grouping_host.hpp"

#include "grouping/branch_warm_up.hpp"
#include "grouping/joint_warm_up.hpp"
#include "grouping/subset_training.hpp"
#include "petlab/base/error.hpp"
#include "petlab/engine/partition_search.hpp"
#include "petlab/engine/sampler.hpp"
#include "petlab/engine/seeds.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <utility>

namespace petlab::engine {
namespace {

std::vector<double> matrix(const at::Tensor& affinity) {
  const at::Tensor values = affinity.detach().to(at::kCPU, at::kDouble).contiguous();
  return {values.const_data_ptr<double>(), values.const_data_ptr<double>() + values.numel()};
}

}  // namespace

WarmUpHost::WarmUpHost(const WarmUpContext& context)
    : context_(context),
      generator_(at::detail::createCPUGenerator(derive_seed(context.seed, {"grouping"}))) {
  for (const Task& task : context.tasks)
    names_.push_back(task.name);
}

WarmUpHost::~WarmUpHost() = default;

std::int64_t WarmUpHost::steps_per_epoch() const {
  return engine::steps_per_epoch(context_.images.sampled_tasks(),
                                 {context_.training.batch, context_.training.drop_last});
}

JointWarmUp& WarmUpHost::joint() {
  if (joint_ == nullptr) joint_ = std::make_unique<JointWarmUp>(context_);
  return *joint_;
}

std::vector<sdk::SharedParameter> WarmUpHost::shared_parameters() {
  return joint().shared_parameters();
}

at::Tensor WarmUpHost::task_gradients() {
  return joint().task_gradients();
}

at::Tensor WarmUpHost::task_losses() {
  return joint().task_losses();
}

at::Tensor WarmUpHost::losses_after_step(std::int64_t task, double learning_rate) {
  return joint().losses_after_step(task, learning_rate);
}

void WarmUpHost::step() {
  joint().step();
}

void WarmUpHost::joint_step() {
  joint().joint_step();
}

at::Tensor WarmUpHost::losses_of_training(const std::vector<std::int64_t>& tasks,
                                          std::int64_t epochs, double held_out) {
  if (trainings_ == 0) context_.progress.begin("warm-up", 0);
  const SubsetLosses result = train_on_subset(context_, tasks, epochs, held_out);
  subset_images_ += result.images;
  context_.progress.update(++trainings_, "");
  return at::tensor(result.losses, at::kDouble);
}

at::Tensor WarmUpHost::branch_losses(std::int64_t branches) {
  if (branches_ == nullptr) {
    if (branches < 1) {
      throw base::Error(
          base::ErrorKind::plugin,
          "a grouping asked for " + std::to_string(branches) + " branches, expected at least 1");
    }
    branches_ = std::make_unique<BranchWarmUp>(context_, branches);
  }
  if (branches_->branches() != branches) {
    throw base::Error(base::ErrorKind::plugin,
                      "a grouping asked for " + std::to_string(branches) + " branches, expected " +
                          std::to_string(branches_->branches()) + " as before");
  }
  return branches_->losses();
}

void WarmUpHost::branch_step(const at::Tensor& loss, const std::vector<at::Tensor>& own,
                             double learning_rate) {
  if (branches_ == nullptr) {
    throw base::Error(base::ErrorKind::plugin,
                      "a grouping called branch_step() before it asked for losses of branches");
  }
  branches_->step(loss, own, learning_rate);
}

std::vector<sdk::ScoredPartition> WarmUpHost::search(const at::Tensor& affinity,
                                                     std::int64_t groups,
                                                     sdk::PartitionObjective objective,
                                                     std::int64_t keep) const {
  return search_partitions(matrix(affinity), static_cast<std::int64_t>(names_.size()), groups,
                           objective, keep);
}

std::vector<sdk::NamedTensor> WarmUpHost::shared_values() const {
  return joint_ == nullptr ? std::vector<sdk::NamedTensor>{} : joint_->values();
}

void WarmUpHost::finish() {
  if (joint_ != nullptr) joint_->finish();
  if (branches_ != nullptr) branches_->finish();
}

std::int64_t WarmUpHost::images_encoded() const {
  return subset_images_ + (joint_ == nullptr ? 0 : joint_->images_encoded()) +
         (branches_ == nullptr ? 0 : branches_->images_encoded());
}

sdk::GroupingResult find_grouping(const sdk::Grouping& grouping, const std::string& strategy,
                                  sdk::GroupingHost& host, FailureContext& where) {
  sdk::GroupingResult result =
      where.in_plugin("find() of grouping '" + strategy + "'", [&] { return grouping.find(host); });
  const auto n_tasks = static_cast<std::int64_t>(host.tasks().size());
  const auto refuse = [&strategy](const std::string& what) {
    throw base::Error(base::ErrorKind::plugin, "grouping '" + strategy + "' gave " + what);
  };
  if (result.partitions.empty()) refuse("no partition");
  for (const auto& [partition, score] : result.partitions) {
    check_partition(partition, n_tasks, strategy.c_str());
  }
  if (result.affinity.defined()) {
    if (result.affinity.dim() != 2 || result.affinity.size(0) != n_tasks ||
        result.affinity.size(1) != n_tasks) {
      refuse("an affinity that is not one row and one column a task");
    }
    if (!at::isfinite(result.affinity).all().item<bool>()) refuse("an affinity that is not finite");
  }
  return result;
}

results::Partition named_partition(const sdk::Partition& partition,
                                   const std::vector<std::string>& tasks) {
  results::Partition named;
  for (const auto& group : partition) {
    auto& names = named.emplace_back();
    for (const std::int64_t task : group)
      names.push_back(tasks[static_cast<std::size_t>(task)]);
  }
  return named;
}

}  // namespace petlab::engine
