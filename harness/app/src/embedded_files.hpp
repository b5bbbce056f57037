#pragma once

#include <string_view>

/// Files in Python that the program holds, as they stand in the tree.
namespace petlab::app::embedded {

/// python/load_prompts.py, which is written beside exported prompts.
extern const std::string_view load_prompts;
/// results/petlab_results.py and results/petlab_trackers.py.
extern const std::string_view petlab_results;
extern const std::string_view petlab_trackers;

}  // namespace petlab::app::embedded
