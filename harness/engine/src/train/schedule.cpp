#include "petlab/engine/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace petlab::engine {
namespace {

/// The rate at `at` of `all`, of which the first `warm_up` are such.
double rate_at(const Training& training, std::int64_t at, std::int64_t warm_up, std::int64_t all) {
  if (at < warm_up) return std::min(training.warmup_learning_rate, training.learning_rate);
  if (training.schedule == Schedule::constant) return training.learning_rate;
  const double end = std::min(training.end_learning_rate, training.learning_rate);
  const auto done = static_cast<double>(at - warm_up);
  return end + (training.learning_rate - end) * 0.5 *
                   (1.0 + std::cos(std::numbers::pi * done / static_cast<double>(all)));
}

}  // namespace

double learning_rate_at(const Training& training, std::int64_t epoch) {
  return rate_at(training, epoch, training.warmup_epochs, training.epochs);
}

double learning_rate_at_step(const Training& training, std::int64_t step,
                             std::int64_t steps_per_epoch, std::int64_t steps) {
  return training.schedule_interval == ScheduleInterval::epoch
             ? learning_rate_at(training, step / steps_per_epoch)
             : rate_at(training, step, training.warmup_epochs * steps_per_epoch, steps);
}

}  // namespace petlab::engine
