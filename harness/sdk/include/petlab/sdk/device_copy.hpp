#pragma once

#include <ATen/core/Tensor.h>

namespace petlab::sdk {

/// `host`, a tensor in the host's memory, on `device`. To a GPU it goes through pinned memory and
/// nobody waits for it: the copy takes its turn among the work that the GPU has been given, and the
/// pinned memory is kept until it is done. A training step should move its small tensors (indices,
/// masks, noise) this way: an ordinary copy waits for everything before it.
inline at::Tensor to_device(const at::Tensor& host, at::Device device) {
  if (device.is_cpu() || !host.is_cpu()) return host.to(device);
  const at::Tensor& from = device.is_cuda() ? host.pin_memory() : host;
  return from.to(device, host.scalar_type(), /*non_blocking=*/true);
}

}  // namespace petlab::sdk
