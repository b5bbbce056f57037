#include "interpreter.hpp"

#include "petlab/sdk/abi.hpp"
#include "petlab_source.hpp"

#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace petlab::plugins::python {
namespace {

namespace fs = std::filesystem;

/// The interpreter whose packages are used: PETLAB_PYTHON, else the one beside LibTorch.
std::string interpreter() {
  const char* chosen = std::getenv("PETLAB_PYTHON");
  return chosen != nullptr && *chosen != '\0' ? chosen : PETLAB_PYTHON_EXECUTABLE;
}

/// The LibTorch of this process.
fs::path loaded_libtorch() {
  Dl_info library{};
  if (dladdr(reinterpret_cast<const void*>(&aoti_torch_abi_version), &library) == 0)
    throw_plugin_error("the LibTorch of this process cannot be found");
  return library.dli_fname;
}

void initialise(const std::string& program) {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.parse_argv = 0;
  config.install_signal_handlers = 0;
  // Nothing of the user's environment decides what is imported, and no file is left behind.
  config.use_environment = 0;
  config.user_site_directory = 0;
#if PY_VERSION_HEX >= 0x030b0000
  config.safe_path = 1;
#endif
  config.write_bytecode = 0;
  PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, program.c_str());
  if (PyStatus_Exception(status) == 0) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  if (PyStatus_Exception(status) != 0)
    throw_plugin_error("Python cannot be started as " + program + ": " +
                       (status.err_msg != nullptr ? status.err_msg : "no reason is given"));
}

void make_petlab_module() {
  const py::module_ module = py::reinterpret_borrow<py::module_>(PyImport_AddModule("petlab"));
  const py::object code = py::reinterpret_steal<py::object>(
      Py_CompileString(kPetlabSource, "petlab.py", Py_file_input));
  if (!code) throw py::error_already_set();
  const py::object globals = module.attr("__dict__");
  globals["__builtins__"] = py::module_::import("builtins");
  const py::object done =
      py::reinterpret_steal<py::object>(PyEval_EvalCode(code.ptr(), globals.ptr(), globals.ptr()));
  if (!done) throw py::error_already_set();
}

/// Before torch is imported: a second LibTorch in the process would be two of each type.
void check_torch(const std::string& program) {
  const auto found =
      petlab_module().attr("_torch_folder")().cast<std::pair<std::string, std::string>>();
  const std::string wanted = sdk::kTorchVersion;
  if (found.first.empty())
    throw_plugin_error("the Python of methods, " + program + ", has no torch; expected torch " +
                       wanted +
                       ", the one that petlab runs with (PETLAB_PYTHON names another Python)");
  const fs::path loaded = loaded_libtorch();
  std::error_code error;
  if (fs::equivalent(fs::path(found.first) / "lib" / loaded.filename(), loaded, error)) return;
  const std::string version = found.second.substr(0, found.second.find('+'));
  if (version != wanted)
    throw_plugin_error("the torch of the Python of methods, " + found.first + ", is " +
                       found.second + ", expected " + wanted +
                       ", the one that petlab runs with (PETLAB_PYTHON names another Python)");
  throw_plugin_error(
      "the torch of the Python of methods, " + found.first + ", is another copy than " +
      loaded.string() +
      ", with which petlab runs; expected the same (PETLAB_PYTHON names another Python)");
}

}  // namespace

py::module_ petlab_module() {
  return py::reinterpret_borrow<py::module_>(PyImport_AddModule("petlab"));
}

std::string traceback_of(const py::error_already_set& error) {
  const auto or_none = [](const py::object& object) {
    return object ? object : py::object(py::none());
  };
  return petlab_module()
      .attr("_traceback")(or_none(error.type()), or_none(error.value()), or_none(error.trace()))
      .cast<std::string>();
}

void start_python() {
  // Why it did not start the first time is why it does not the second time.
  static const std::string trouble = [] {
    const std::string program = interpreter();
    try {
      if (Py_IsInitialized() != 0)
        throw_plugin_error("another library of this process runs Python already");
      initialise(program);
    } catch (const sdk::Error& error) {
      return std::string(error.what());
    }
    std::string reason;
    try {
      make_petlab_module();
      check_torch(program);
      py::module_::import("torch");
    } catch (const py::error_already_set& error) {
      reason = "Python's torch cannot be imported: " + traceback_of(error);
    } catch (const sdk::Error& error) {
      reason = error.what();
    }
    // The thread that started Python holds its lock; the host's backward pass wants it free.
    (void)PyEval_SaveThread();
    return reason;
  }();
  if (!trouble.empty()) throw_plugin_error(trouble);
}

}  // namespace petlab::plugins::python
