#pragma once

#include "petlab/datasets/random.hpp"
#include "petlab/pretrain/pool.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::pretrain {

/// The pool, numbered for training: subjects, rows of the table, and chances.
struct Curriculum {
  std::vector<std::string> subjects;             ///< all, sorted
  std::vector<std::int64_t> subject_of_picture;  ///< index into subjects
  std::vector<std::int64_t> row_of_picture;      ///< row of the table; -1 = none
  std::int64_t n_rows = 0;
  std::vector<std::int64_t> training;      ///< pictures that may be drawn
  std::vector<std::vector<double>> up_to;  ///< per stage, the running sum of their chances
  std::vector<std::int64_t> held_out;  ///< pictures of the held-out designer, to measure with ...
  std::vector<std::int64_t> held_out_subjects;  ///< ... among these subjects
};

/// Subjects drawn by at least `table_families` designers (the held-out one not counted) get a row.
/// A subject's chance is a power of the number of its designers, shared evenly by its pictures. The
/// power falls in stages: training begins with the few things that everybody draws, which is what
/// makes plain patches learn at all in the first minutes, and ends with all of them.
/// The measured subjects are the 65 of the held-out designer that most designers drew.
[[nodiscard]] Curriculum make_curriculum(const std::vector<PoolIcon>& pool, int table_families,
                                         const std::string& held_out_family);

/// Draws `count` training pictures, with replacement, at the place `progress` in [0, 1] of the
/// schedule.
[[nodiscard]] std::vector<std::int64_t> draw_pictures(const Curriculum& curriculum, double progress,
                                                      std::int64_t count,
                                                      datasets::SplitMix64& generator);

}  // namespace petlab::pretrain
