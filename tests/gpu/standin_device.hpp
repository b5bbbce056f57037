#pragma once

#include <c10/core/Device.h>

#include <string>
#include <vector>

/// A stand-in for a GPU on machines without one: LibTorch's device type for backends of one's own,
/// with memory of the host and operators that run on the CPU. Unlike the CPU it notices what would
/// fail or wait on a GPU.
namespace petlab::tests {

/// The stand-in; registered with LibTorch by the first call.
[[nodiscard]] c10::Device standin_device();

/// What happened since reset_traffic().
struct Traffic {
  int operators = 0;        ///< that ran on the device
  int uploads = 0;          ///< copies from the host that nobody waits for
  int waiting_uploads = 0;  ///< those that make the host wait for the device
  int downloads = 0;        ///< copies to the host and numbers read: each waits for the device
  /// Operators that were given tensors of both sides (a GPU refuses them), or a random generator
  /// of the host; each once.
  std::vector<std::string> mixed;
};
[[nodiscard]] Traffic traffic();
void reset_traffic();

}  // namespace petlab::tests
