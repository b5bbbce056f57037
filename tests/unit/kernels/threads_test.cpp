#include "petlab/kernels/threads.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>
#include <thread>

namespace petlab::kernels {
namespace {

/// How many threads share out a loop of this program.
std::size_t threads_of_a_loop() {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  at::parallel_for(0, 64, /*grain_size=*/1, [&](std::int64_t, std::int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
  });
  return threads.size();
}

/// In a thread that has computed nothing yet, as the first of a process has not: LibTorch sets the
/// number once more when a thread first computes.
std::size_t in_a_new_thread(int wanted) {
  std::size_t used = 0;
  std::thread([&] {
    set_threads(wanted);
    (void)at::ones({64, 64}).sum();
    used = threads_of_a_loop();
    EXPECT_EQ(used, threads_of_a_loop());
    EXPECT_EQ(at::get_num_threads(), wanted);
  }).join();
  return used;
}

TEST(Threads, AreAsManyAsWereAskedFor) {
  for (const int wanted : {2, 1, 3})
    EXPECT_EQ(in_a_new_thread(wanted), static_cast<std::size_t>(wanted));
}

}  // namespace
}  // namespace petlab::kernels
