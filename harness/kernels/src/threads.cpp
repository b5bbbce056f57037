#include "petlab/kernels/threads.hpp"

#include <ATen/Parallel.h>
#include <omp.h>

namespace petlab::kernels {

void set_threads(int threads) {
  // Tells MKL and OpenMP. LibTorch does so once more when a thread first asks for its number or
  // shares out work, and remembers that in its library and, as the function is inline, in this
  // program too: both before OpenMP gets its own number.
  at::set_num_threads(1);
  (void)at::get_num_threads();
  at::internal::lazy_init_num_threads();
  omp_set_num_threads(threads);
}

}  // namespace petlab::kernels
