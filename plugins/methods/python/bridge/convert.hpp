#pragma once

#include "interpreter.hpp"
#include "petlab/sdk/training_adapter.hpp"

#include <memory>
#include <vector>

// Data of the SDK as Python has it (petlab.py), and back. All with the interpreter's lock held;
// what is not as expected throws Error(plugin) or an exception of Python.
namespace petlab::plugins::python {

/// A dict of tensors by name, in its order.
[[nodiscard]] std::vector<sdk::NamedTensor> to_named_tensors(const py::handle& dict,
                                                             const char* what);

/// A petlab.Changes. Dropout of low-rank changes draws from the request's noise.
[[nodiscard]] sdk::BackboneChanges to_changes(const py::handle& changes,
                                              const sdk::ChangeRequest& request);

/// A scalar tensor, or None.
[[nodiscard]] at::Tensor to_tensor(const py::handle& tensor, const char* what);

[[nodiscard]] py::object from_request(const sdk::ChangeRequest& request);
[[nodiscard]] py::object from_step(const sdk::StepTensors& step);

/// The context for one call of make_adapter(). When `live` is null, as it must be made when the
/// call is over, the functions of the context raise.
[[nodiscard]] py::object from_context(const std::shared_ptr<const sdk::AdapterContext*>& live);

}  // namespace petlab::plugins::python
