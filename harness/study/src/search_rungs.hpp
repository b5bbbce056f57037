#pragma once

#include "petlab/study/search.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace petlab::engine {
struct Training;
}

// The rungs of successive halving: many candidates for a short training, the best of them for a
// longer one.
namespace petlab::study {

/// Optimizer steps where a training says them, else epochs.
[[nodiscard]] std::int64_t length_of(const engine::Training& training);

/// A whole training of this length, at most that of `training`: its schedule ends with it, and its
/// warm-up is the same share of it, in whole epochs.
void shorten(engine::Training& training, std::int64_t length);

/// The rungs for so many candidates (at least 2), of which a `reduction_factor`-th part goes on
/// (rounded up) until one is left. All rungs together take at most `budget` of what training every
/// candidate for `whole` takes, each the same part of it, but no trial is shorter than 1 or longer
/// than `whole`. A rung that would train as long as the one before it is left out.
[[nodiscard]] std::vector<Rung> plan_rungs(std::size_t candidates, const SearchSpec& spec,
                                           std::int64_t whole);

}  // namespace petlab::study
