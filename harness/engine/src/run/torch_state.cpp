#include "run/torch_state.hpp"

#include "petlab/base/error.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/DefaultDtype.h>

namespace petlab::engine {

TorchState::TorchState()
    : threads_(at::get_num_threads()),
      is_deterministic_(at::globalContext().deterministicAlgorithms()),
      default_type_(c10::get_default_dtype_as_scalartype()) {}

void TorchState::check(const std::string& method) const {
  const auto refuse = [&](const std::string& what) {
    throw base::Error(base::ErrorKind::plugin, "method '" + method + "' " + what);
  };
  if (at::get_num_threads() != threads_)
    refuse("changed the number of threads from " + std::to_string(threads_) + " to " +
           std::to_string(at::get_num_threads()));
  if (at::globalContext().deterministicAlgorithms() != is_deterministic_)
    refuse("switched LibTorch's deterministic algorithms");
  if (c10::get_default_dtype_as_scalartype() != default_type_)
    refuse("changed LibTorch's default type to " +
           std::string(c10::toString(c10::get_default_dtype_as_scalartype())));
}

}  // namespace petlab::engine
