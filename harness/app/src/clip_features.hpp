#pragma once

#include "petlab/clip/backbone.hpp"

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace petlab::app {

/// Features of the two towers for files and texts from outside: fp32 on the CPU, one row each.
struct ClipFeatures {
  at::Tensor unit;   ///< [n, E], of length 1
  at::Tensor norms;  ///< [n], the lengths before
};

/// Decodes, resizes, crops and encodes pictures, a few at a time; says on stderr how far it is.
/// Every file is looked for before the first is read. Throws Error(data) that names a picture that
/// is not there or cannot be decoded, Error(numeric) that names one whose feature is zero or not
/// finite.
[[nodiscard]] ClipFeatures image_features(const clip::Backbone& backbone,
                                          const std::vector<std::string>& files);

/// The same pictures as the image tower takes them, a few at a time: `visit(first, pixels)` with
/// the index of the first of them and [B, 3, S, S] on the backbone's device, normalised.
void visit_pictures(const clip::Backbone& backbone, const std::vector<std::string>& files,
                    const std::function<void(std::size_t, const at::Tensor&)>& visit);

/// Texts too long for the backbone are cut and named on stderr. Throws Error(numeric) that names a
/// text whose feature is zero or not finite.
[[nodiscard]] ClipFeatures text_features(const clip::Backbone& backbone,
                                         const std::vector<std::string>& texts);

/// Throws Error(numeric) that names the picture unless all its class scores are finite: no
/// probabilities follow from others.
void require_finite_scores(const at::Tensor& scores, const std::string& file);

}  // namespace petlab::app
