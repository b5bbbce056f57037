#include "petlab/sdk/error.hpp"
#include "petlab/sdk/method_files.hpp"

#include <dlfcn.h>

#include <cctype>
#include <fstream>
#include <string>

// Hosts methods that are written in Python. This library knows no Python: an interpreter and the
// bridge to it are loaded when the first such method is used, and never in other processes.
namespace {

namespace sdk = petlab::sdk;

/// A method's file has a class Method at its top level.
bool is_method(const char* file) {
  const std::string wanted = "class Method";
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(wanted)) continue;
    const char next = line.size() > wanted.size() ? line[wanted.size()] : ' ';
    if (std::isalnum(static_cast<unsigned char>(next)) == 0 && next != '_') return true;
  }
  return false;
}

[[noreturn]] void refuse(const std::string& what) {
  throw sdk::Error(sdk::ErrorKind::plugin, what);
}

using Open = const sdk::PluginDescriptor* (*)(const char* file, const char* host_hash);

Open load_bridge() {
  if (std::string(PETLAB_LIBPYTHON).empty())
    refuse(
        "this petlab was built without Python: the interpreter beside torch had no headers or "
        "no shared library when it was configured");
  // Extension modules find Python's symbols among the global ones.
  if (dlopen(PETLAB_LIBPYTHON, RTLD_NOW | RTLD_GLOBAL) == nullptr)
    refuse(std::string("Python cannot be loaded: ") + dlerror());
  Dl_info self{};
  if (dladdr(reinterpret_cast<const void*>(&is_method), &self) == 0)
    refuse("the folder of the Python plugin cannot be found");
  const std::string file = self.dli_fname;
  const std::string bridge = file.substr(0, file.rfind('/')) + "/python/python_bridge.so";
  void* library = dlopen(bridge.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    refuse(std::string("the bridge to Python cannot be loaded: ") + dlerror());
  void* symbol = dlsym(library, "petlab_python_open");
  if (symbol == nullptr) refuse(std::string("the bridge to Python is not whole: ") + dlerror());
  return reinterpret_cast<Open>(symbol);
}

const sdk::PluginDescriptor* open_method(const char* file) {
  static const Open open = load_bridge();
  return open(file, PETLAB_BRIDGE_HASH);
}

}  // namespace

PETLAB_METHOD_FILES("MIT", .extension = ".py", .is_method = is_method, .open = open_method);
