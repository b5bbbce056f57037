#pragma once

#include <cstddef>
#include <functional>

namespace petlab::datasets {

/// Calls `work(i)` once for each i in [0, n) from `threads` threads (0 = all cores). Waits for all.
/// If some throw, the exception of the smallest such i is thrown after the rest has ended, so that
/// the message does not depend on the number of threads; indices above it may be left out.
void parallel_for(std::size_t n, unsigned threads, const std::function<void(std::size_t)>& work);

}  // namespace petlab::datasets
