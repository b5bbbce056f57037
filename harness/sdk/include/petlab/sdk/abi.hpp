#pragma once

#include <torch/headeronly/version.h>

#include <cstdint>

// The tag of a build: everything besides the SDK and LibTorch that must be equal on both sides of
// the plugin boundary, because C++ types cross it.
#define PETLAB_STRINGIFY_(x) #x
#define PETLAB_STRINGIFY(x) PETLAB_STRINGIFY_(x)

#if defined(__clang__)
#define PETLAB_COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define PETLAB_COMPILER "gcc " __VERSION__
#else
#error "petlab is built with GCC or Clang"
#endif

#ifdef _GLIBCXX_DEBUG
#define PETLAB_DEBUG_STL "1"
#else
#define PETLAB_DEBUG_STL "0"
#endif

#ifdef __SANITIZE_ADDRESS__
#define PETLAB_ASAN "1"
#else
#define PETLAB_ASAN "0"
#endif

namespace petlab::sdk {

/// Number of the SDK's binary interface. Raised with every change of a type in this folder.
inline constexpr std::uint32_t kSdkAbi = 5;

inline constexpr std::uint64_t kTorchAbi = TORCH_ABI_VERSION;
inline constexpr const char* kTorchVersion =
    PETLAB_STRINGIFY(TORCH_VERSION_MAJOR) "." PETLAB_STRINGIFY(
        TORCH_VERSION_MINOR) "." PETLAB_STRINGIFY(TORCH_VERSION_PATCH);

inline constexpr const char* kBuildTag =
    PETLAB_COMPILER "; c++ " PETLAB_STRINGIFY(__cplusplus) "; cxx11-abi " PETLAB_STRINGIFY(
        _GLIBCXX_USE_CXX11_ABI) "; debug-stl " PETLAB_DEBUG_STL "; asan " PETLAB_ASAN;

}  // namespace petlab::sdk
