#pragma once

#include "petlab/base/random.hpp"
#include "petlab/pretrain/pool.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace petlab::pretrain {

/// Pictures of one held-out designer, to measure with.
struct HeldOut {
  std::string family;
  std::vector<std::int64_t> pictures;
};

/// The pool, numbered for training: subjects, rows of the table, and chances.
struct Curriculum {
  std::vector<std::string> subjects;             ///< all, sorted
  std::vector<std::int64_t> subject_of_picture;  ///< index into subjects
  std::vector<std::int64_t> row_of_picture;      ///< row of the table; -1 = none
  std::int64_t n_rows = 0;
  std::vector<std::int64_t> training;      ///< pictures that may be drawn
  std::vector<std::vector<double>> up_to;  ///< per stage, the running sum of their chances
  std::vector<std::vector<std::int64_t>> training_of_subject;  ///< by subject
  std::vector<HeldOut> held_out;                ///< by designer, where there is anything ...
  std::vector<std::int64_t> held_out_subjects;  ///< ... among these subjects, sorted
};

struct CurriculumRules {
  int table_families = 4;             ///< subjects of so many designers get a row of the table
  std::vector<std::string> held_out;  ///< designers who are only used to measure
  std::vector<std::int64_t> excluded = {};  ///< pictures that are not used at all, sorted
};

/// Held-out designers count neither for the rows nor for the chances. A subject's chance is a power
/// of the number of its designers, shared evenly by its pictures. The power falls in stages:
/// training begins with the few things that everybody draws, which is what makes plain patches
/// learn at all in the first minutes, and ends with all of them. Measured are, of each held-out
/// designer, the 65 subjects with a row that most designers drew.
[[nodiscard]] Curriculum make_curriculum(const std::vector<PoolIcon>& pool,
                                         const CurriculumRules& rules);

/// Draws `count` training pictures, with replacement, at the place `progress` in [0, 1] of the
/// schedule. With probability `pair_share` a picture brings another one of its subject along: only
/// beside each other do two drawings of one thing tell what words for style and colour mean.
[[nodiscard]] std::vector<std::int64_t> draw_pictures(const Curriculum& curriculum, double progress,
                                                      double pair_share, std::int64_t count,
                                                      base::SplitMix64& generator);

}  // namespace petlab::pretrain
