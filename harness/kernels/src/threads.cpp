#include "petlab/kernels/threads.hpp"

#include <ATen/Parallel.h>
#include <omp.h>

namespace petlab::kernels {

void set_threads(int threads) {
  // Tells MKL and OpenMP; the second call is the one after which LibTorch leaves this thread's
  // number as it is.
  at::set_num_threads(1);
  (void)at::get_num_threads();
  omp_set_num_threads(threads);
}

}  // namespace petlab::kernels
