#pragma once

#include "petlab/engine/rank_group.hpp"
#include "petlab/engine/training_step.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace petlab::engine {

/// The step in Training::slices slices. Each holds a part of each batch, as long as the others'
/// within one image, or of the images of each union (Sampler::union_of_tasks) in the order of its
/// tasks; a batch of fewer images than slices leaves some without any. Together they hold the step.
[[nodiscard]] std::vector<Step> cut_step(const StepContext& context, const Step& step);

/// Forward and backward of a step in slices, one after the other, so that the activations of one
/// are kept at a time. The loss is that of the whole step, and so are the gradients but for
/// rounding; they are added in the order of the slices, whichever rank computed them, so that the
/// number of ranks changes no bit. A slice draws its noise from a generator of its own.
class SlicedStep {
 public:
  /// `parameters`: all that the step may give a gradient. `ranks` (null: this process alone) share
  /// out the slices. Both the context and the ranks outlive this object.
  SlicedStep(const StepContext& context, std::vector<at::Tensor> parameters,
             RankGroup* ranks = nullptr);

  /// As backward_step(), but the gradients of the parameters are replaced. In all ranks they are
  /// those of the whole step, and so are the losses.
  [[nodiscard]] std::vector<at::Tensor> backward(const Step& step, const StepPlace& place);

  /// Images that other ranks sent through the image tower for these steps so far.
  [[nodiscard]] std::int64_t images_elsewhere() const { return images_elsewhere_; }

 private:
  struct Sums;

  void add_slice(const Step& slice, const Step& step, const std::vector<double>& weights,
                 const StepPlace& place, std::uint64_t noise_seed, Sums& sums);
  /// Makes sums of what all ranks have computed.
  void gather(const Step& step, Sums& sums);

  const StepContext& context_;
  std::vector<at::Tensor> parameters_;
  RankGroup* ranks_;
  std::int64_t images_elsewhere_ = 0;
};

}  // namespace petlab::engine
