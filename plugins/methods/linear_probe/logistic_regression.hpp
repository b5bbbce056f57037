#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace petlab::plugins::linear_probe {

/// Examples of one task, whose labels are among some of the classes.
struct Examples {
  at::Tensor features;  ///< double [n, d] on the CPU
  at::Tensor labels;    ///< int64 [n], indices into `rows`
  at::Tensor rows;      ///< int64 [n_classes of the task]: its classes among all
};

/// W [n_classes, d] and b [n_classes], double.
struct Classifier {
  at::Tensor weight;
  at::Tensor bias;
};

/// Multinomial logistic regression: the minimum of
///
///     sum over tasks and their examples of -log softmax(W f + b)[label] + |W|^2 / (2 c),
///
/// softmax over the classes of the example's task; the objective of scikit-learn's
/// LogisticRegression(C = c). W is unique; of b, which a constant may be added to, the one that is
/// reached from 0. Found by L-BFGS (10 pairs, halved steps) from 0, to a gradient whose largest
/// value is 1e-7 of the number of examples, in at most `most_steps`.
[[nodiscard]] Classifier fit(const std::vector<Examples>& tasks, std::int64_t classes, double c,
                             std::int64_t most_steps);

}  // namespace petlab::plugins::linear_probe
