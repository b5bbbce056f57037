#pragma once

#include "petlab/pretrain/captions.hpp"
#include "petlab/pretrain/model.hpp"
#include "petlab/pretrain/optimizer.hpp"
#include "petlab/pretrain/sampler.hpp"

#include <ATen/core/Tensor.h>

namespace petlab::pretrain {

/// What one step says of itself.
struct StepReport {
  double loss = 0;
  double table_accuracy = 0;  ///< share of the pictures with a row whose row was first
};

/// One training run: pictures, model, optimizer. Does not look at the clock.
class Trainer {
 public:
  /// `pictures` uint8 [N, S, S, 3]; `styles` [N]. Both outlive the trainer, as does the model.
  Trainer(const PretrainOptions& options, const Model& model, const Curriculum& curriculum,
          at::Tensor pictures, std::vector<Style> styles, c10::Device device);

  /// One batch at the place `progress` in [0, 1] of the schedule.
  StepReport step(double progress);

  /// Zero-shot accuracy of the averaged weights on the held-out designer's pictures.
  [[nodiscard]] double held_out_accuracy() const;

  [[nodiscard]] Optimizer& optimizer() { return optimizer_; }

 private:
  const PretrainOptions& options_;
  const Model& model_;
  const Curriculum& curriculum_;
  at::Tensor pictures_;
  std::vector<Style> styles_;
  c10::Device device_;
  c10::ScalarType type_;
  Optimizer optimizer_;
};

}  // namespace petlab::pretrain
