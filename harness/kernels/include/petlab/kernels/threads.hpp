#pragma once

namespace petlab::kernels {

/// Sets the threads of this process's computations, in the place of at::set_num_threads(): call it
/// on the thread that computes. Operations of LibTorch and of this library use `threads`; a single
/// product of MKL uses one, because MKL adds up small products in an order that depends on the
/// number of threads. linear() shares its products out by itself.
void set_threads(int threads);

}  // namespace petlab::kernels
