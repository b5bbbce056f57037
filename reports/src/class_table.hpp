#pragma once

#include "petlab/reports/report.hpp"

#include <string>

/// What the finished runs answered, by class: files for programs, a line each.
namespace petlab::reports {

/// A line a run, task and class: test images of it, answers that say so, right ones, accuracy (the
/// share of its images that is classified correctly; empty where it has none) and F1 (empty where
/// it has neither images nor answers).
std::string classes_csv(const Report& report);

/// A line a run, task and pair of a true class and another one that was the answer, with the number
/// of images, most frequent first.
std::string confusions_csv(const Report& report);

}  // namespace petlab::reports
