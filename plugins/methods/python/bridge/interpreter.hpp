#pragma once

#include "petlab/sdk/error.hpp"

#include <pybind11/pybind11.h>

#include <memory>
#include <string>
#include <utility>

namespace petlab::plugins::python {

namespace py = pybind11;

[[noreturn]] inline void throw_plugin_error(const std::string& what) {
  throw sdk::Error(sdk::ErrorKind::plugin, what);
}

/// Starts Python with the host's own LibTorch, once a process, and gives module `petlab`. The
/// calling thread does not hold the lock of the interpreter, neither before nor after: a backward
/// pass must not. Throws Error(plugin) with one sentence when Python cannot be started or its torch
/// is missing or another one.
void start_python();

/// Module `petlab`, bridge/petlab.py. Only while the lock is held.
[[nodiscard]] py::module_ petlab_module();

/// What Python says of an exception: its traceback, ending with the exception itself.
[[nodiscard]] std::string traceback_of(const py::error_already_set& error);

/// Calls `work` with the interpreter's lock. An exception of Python becomes Error(plugin): `what`,
/// a colon, and the traceback.
template <typename Work>
auto in_python(const std::string& what, Work&& work) {
  const py::gil_scoped_acquire lock;
  try {
    return std::forward<Work>(work)();
  } catch (const py::error_already_set& error) {
    throw_plugin_error(what + ": " + traceback_of(error));
  } catch (const py::cast_error& error) {
    throw_plugin_error(what + ": " + error.what());
  }
}

/// An object that may be let go of without the lock.
using Object = std::shared_ptr<py::object>;

/// With the lock held.
[[nodiscard]] inline Object keep(py::object object) {
  return {new py::object(std::move(object)), [](py::object* kept) {
            const py::gil_scoped_acquire lock;
            delete kept;
          }};
}

}  // namespace petlab::plugins::python
