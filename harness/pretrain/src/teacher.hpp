#pragma once

#include "petlab/sdk/backbone.hpp"

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <vector>

namespace petlab::pretrain {

/// A small residual network (He et al., 2016) that tells the subjects of the table from pictures.
/// Convolutions need not learn what is beside what; what it found serves the image tower as soft
/// targets (Hinton et al., 2015; a convolution teacher as in DeiT, Touvron et al., 2021). It is no
/// part of the model that is written.
class Teacher {
 public:
  /// `n_rows` is the length of the table.
  Teacher(std::int64_t n_rows, c10::Device device, at::Generator& generator);

  /// fp32 leaves with gradients.
  [[nodiscard]] const std::vector<sdk::NamedTensor>& parameters() const { return parameters_; }

  /// Planes [B, 3, S, S] in [0, 1] -> fp32 [B, rows], with `values` for the parameters, in their
  /// order. Normalises with the statistics of the batch, when it teaches too: its pictures are
  /// drawn as those that it learned from, and so nothing but weights has to be kept.
  [[nodiscard]] static at::Tensor logits(const std::vector<sdk::NamedTensor>& values,
                                         const at::Tensor& planes, c10::ScalarType type);

 private:
  std::vector<sdk::NamedTensor> parameters_;
};

}  // namespace petlab::pretrain
