#include "petlab/engine/sliced_step.hpp"

#include "petlab/engine/seeds.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <mutex>
#include <utility>

namespace petlab::engine {
namespace {

/// Values of a slice's gradients that ranks exchange at once: all slices of them are held together.
constexpr std::int64_t kExchanged = std::int64_t{1} << 20;

/// Batches of the step (indices into it) that are cut as one list.
std::vector<std::vector<std::size_t>> lists_of(const StepContext& context, const Step& step) {
  std::vector<std::int64_t> tasks;
  std::vector<std::vector<std::size_t>> each;
  for (std::size_t i = 0; i < step.size(); ++i) {
    tasks.push_back(step[i].task);
    each.push_back({i});
  }
  if (context.training.sampler != Sampler::union_of_tasks) return each;
  return context.backbone.connected_tasks(tasks);
}

/// The same in every rank: all of them draw it, and nothing else, from the generator of the run.
std::uint64_t draw_seed(at::Generator& generator) {
  const std::scoped_lock lock(generator.mutex());
  return at::check_generator<at::CPUGeneratorImpl>(generator)->random64();
}

std::size_t place_in(const Step& step, std::int64_t task) {
  const auto found = std::find_if(step.begin(), step.end(),
                                  [task](const TaskBatch& batch) { return batch.task == task; });
  return static_cast<std::size_t>(found - step.begin());
}

}  // namespace

std::vector<Step> cut_step(const StepContext& context, const Step& step) {
  const std::int64_t slices = context.training.slices;
  std::vector<Step> result(static_cast<std::size_t>(slices));
  const auto lists = lists_of(context, step);
  for (std::int64_t s = 0; s < slices; ++s) {
    Step& slice = result[static_cast<std::size_t>(s)];
    for (const std::vector<std::size_t>& list : lists) {
      std::int64_t count = 0;
      for (const std::size_t i : list)
        count += static_cast<std::int64_t>(step[i].positions.size());
      const std::int64_t first = count * s / slices, end = count * (s + 1) / slices;
      std::int64_t before = 0;
      for (const std::size_t i : list) {
        const auto size = static_cast<std::int64_t>(step[i].positions.size());
        const auto begin = step[i].positions.begin();
        const std::int64_t from = std::clamp<std::int64_t>(first - before, 0, size);
        const std::int64_t to = std::clamp<std::int64_t>(end - before, 0, size);
        if (from < to) slice.push_back({step[i].task, {begin + from, begin + to}});
        before += size;
      }
    }
    std::sort(slice.begin(), slice.end(),
              [](const TaskBatch& a, const TaskBatch& b) { return a.task < b.task; });
  }
  return result;
}

/// What has been computed of a step: of this process alone the sums, of several a row for each
/// slice of this one. Sums begin at zero and not at the first slice's value, and a parameter
/// without a gradient adds nothing to them or a zero, so that both ways have the same bits.
struct SlicedStep::Sums {
  std::vector<at::Tensor> gradients;  ///< one a parameter; undefined where none came
  std::vector<at::Tensor> losses;     ///< one a batch of the step

  std::int64_t next_row = 0;
  at::Tensor rows;   ///< fp32 [slices of this rank, values of all parameters]; undefined: sums
  at::Tensor facts;  ///< fp64 [slices of this rank, parameters + batches + 1]
};

SlicedStep::SlicedStep(const StepContext& context, std::vector<at::Tensor> parameters,
                       RankGroup* ranks)
    : context_(context),
      parameters_(std::move(parameters)),
      ranks_(ranks != nullptr && ranks->size() > 1 ? ranks : nullptr) {}

void SlicedStep::add_slice(const Step& slice, const Step& step, const std::vector<double>& weights,
                           const StepPlace& place, std::uint64_t noise_seed, Sums& sums) {
  at::Generator noise = at::detail::createCPUGenerator(noise_seed);
  // Who draws from the default generator gets the same in whichever process the slice is computed.
  at::Generator(at::detail::getDefaultCPUGenerator()).set_current_seed(noise_seed);
  const StepContext context{context_.backbone, context_.images, context_.training,
                            context_.device,   noise,           context_.piece_values};
  std::vector<double> shares, weights_of_slice;
  for (const TaskBatch& part : slice) {
    const std::size_t i = place_in(step, part.task);
    shares.push_back(static_cast<double>(part.positions.size()) /
                     static_cast<double>(step[i].positions.size()));
    weights_of_slice.push_back(weights[i] * shares.back());
  }
  for (at::Tensor& parameter : parameters_)
    parameter.mutable_grad().reset();
  const std::int64_t images_before = context.backbone.images_encoded();
  std::vector<at::Tensor> losses;
  if (!slice.empty()) losses = backward_step(context, slice, place, weights_of_slice);

  const at::NoGradGuard no_grad;
  for (std::size_t j = 0; j < losses.size(); ++j)
    losses[j] = losses[j] * shares[j];
  if (!sums.rows.defined()) {
    for (std::size_t j = 0; j < losses.size(); ++j) {
      at::Tensor& sum = sums.losses[place_in(step, slice[j].task)];
      sum = sum.defined() ? sum + losses[j] : losses[j];
    }
    for (std::size_t p = 0; p < parameters_.size(); ++p) {
      const at::Tensor& gradient = parameters_[p].grad();
      if (!gradient.defined()) continue;
      if (!sums.gradients[p].defined()) sums.gradients[p] = at::zeros_like(parameters_[p].detach());
      sums.gradients[p].add_(gradient);
    }
    return;
  }
  const std::int64_t row = sums.next_row++;
  const auto n_parameters = static_cast<std::int64_t>(parameters_.size());
  auto facts = sums.facts.accessor<double, 2>()[row];
  std::int64_t offset = 0;
  for (std::int64_t p = 0; p < n_parameters; ++p) {
    const at::Tensor& gradient = parameters_[static_cast<std::size_t>(p)].grad();
    const std::int64_t count = parameters_[static_cast<std::size_t>(p)].numel();
    facts[p] = gradient.defined() ? 1.0 : 0.0;
    if (gradient.defined()) sums.rows[row].narrow(0, offset, count).copy_(gradient.reshape({-1}));
    offset += count;
  }
  for (std::size_t j = 0; j < losses.size(); ++j)
    facts[n_parameters + static_cast<std::int64_t>(place_in(step, slice[j].task))] =
        losses[j].item<double>();
  facts[n_parameters + static_cast<std::int64_t>(step.size())] =
      static_cast<double>(context.backbone.images_encoded() - images_before);
}

void SlicedStep::gather(const Step& step, Sums& sums) {
  const at::NoGradGuard no_grad;
  const std::int64_t slices = context_.training.slices;
  const auto n_parameters = static_cast<std::int64_t>(parameters_.size());
  const auto n_batches = static_cast<std::int64_t>(step.size());
  // Of each slice: the rank that computed it, and which of the rank's it is.
  std::vector<std::pair<std::int64_t, std::int64_t>> places;
  for (int rank = 0; rank < ranks_->size(); ++rank) {
    const auto [first, end] = part_of_rank(slices, rank, ranks_->size());
    for (std::int64_t s = first; s < end; ++s)
      places.emplace_back(rank, s - first);
  }

  const at::Tensor facts = ranks_->gather(sums.facts);
  const auto fact = facts.accessor<double, 3>();
  std::vector<bool> has_gradient(parameters_.size());
  at::Tensor losses = at::zeros({n_batches}, at::kFloat);
  for (const auto& [rank, row] : places) {
    for (std::int64_t p = 0; p < n_parameters; ++p)
      if (fact[rank][row][p] > 0.0) has_gradient[static_cast<std::size_t>(p)] = true;
    losses.add_(facts[rank][row].narrow(0, n_parameters, n_batches).to(at::kFloat));
    if (rank != ranks_->rank())
      images_elsewhere_ += static_cast<std::int64_t>(fact[rank][row][n_parameters + n_batches]);
  }
  for (std::size_t i = 0; i < step.size(); ++i)
    sums.losses[i] = losses[static_cast<std::int64_t>(i)];

  const std::int64_t values = sums.rows.size(1);
  const at::Tensor total = at::zeros({values}, at::kFloat);
  for (std::int64_t first = 0; first < values; first += kExchanged) {
    const std::int64_t count = std::min(kExchanged, values - first);
    const at::Tensor all = ranks_->gather(sums.rows.narrow(1, first, count).contiguous());
    at::Tensor sum = total.narrow(0, first, count);
    for (const auto& [rank, row] : places)
      sum.add_(all[rank][row]);
  }
  std::int64_t offset = 0;
  for (std::size_t p = 0; p < parameters_.size(); ++p) {
    const at::Tensor& parameter = parameters_[p];
    const std::int64_t count = parameter.numel();
    if (has_gradient[p])
      sums.gradients[p] = at::zeros_like(parameter.detach())
                              .copy_(total.narrow(0, offset, count).view(parameter.sizes()));
    offset += count;
  }
}

std::vector<at::Tensor> SlicedStep::backward(const Step& step, const StepPlace& place) {
  const std::vector<double> weights = batch_weights(context_, step);
  const std::uint64_t seed = draw_seed(context_.noise);
  const std::vector<Step> slices = cut_step(context_, step);
  const auto n_slices = static_cast<std::int64_t>(slices.size());
  const int rank = ranks_ != nullptr ? ranks_->rank() : 0;
  const int size = ranks_ != nullptr ? ranks_->size() : 1;
  const auto [first, end] = part_of_rank(n_slices, rank, size);

  Sums sums;
  sums.gradients.resize(parameters_.size());
  sums.losses.resize(step.size());
  if (ranks_ != nullptr) {
    std::int64_t values = 0;
    for (const at::Tensor& parameter : parameters_)
      values += parameter.numel();
    const std::int64_t rows = (n_slices + size - 1) / size;
    sums.rows = at::zeros({rows, values}, at::kFloat);
    sums.facts = at::zeros({rows, static_cast<std::int64_t>(parameters_.size() + step.size()) + 1},
                           at::kDouble);
  }
  for (std::int64_t s = first; s < end; ++s)
    add_slice(slices[static_cast<std::size_t>(s)], step, weights, place,
              derive_seed(seed, {"slice"}, {static_cast<std::uint64_t>(s)}), sums);
  if (ranks_ != nullptr) gather(step, sums);
  for (std::size_t p = 0; p < parameters_.size(); ++p)
    parameters_[p].mutable_grad() = sums.gradients[p];
  return sums.losses;
}

}  // namespace petlab::engine
