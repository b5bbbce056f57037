#include "petlab/engine/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace petlab::engine {

double learning_rate_at(const Training& training, std::int64_t epoch) {
  if (epoch < training.warmup_epochs)
    return std::min(training.warmup_learning_rate, training.learning_rate);
  if (training.schedule == Schedule::constant) return training.learning_rate;
  const auto done = static_cast<double>(epoch - training.warmup_epochs);
  const auto all = static_cast<double>(training.epochs);
  return training.learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * done / all));
}

}  // namespace petlab::engine
