#pragma once

#include <string>
#include <utility>
#include <vector>

namespace petlab::kernels {

/// Instruction sets that computations may use, each with those before it. `baseline` is what every
/// x86-64 CPU since 2008 has (SSE4.1; the kernels of this folder also run without); `avx2` has
/// fused multiply-add with it; `avx512` is AVX-512 F, BW, CD, DQ and VL; `amx` adds tiles of bf16.
enum class CpuLevel { baseline, avx2, avx512, amx };

[[nodiscard]] std::string to_string(CpuLevel level);

/// The highest level that both the CPU and the operating system offer.
[[nodiscard]] CpuLevel machine_cpu_level();

/// The level that this process uses: that of the environment variable PETLAB_CPU, or the machine's.
/// The limit holds for the kernels of this folder and for those of LibTorch, oneDNN and MKL; it is
/// set while the program is loaded, before any of them computes. Throws base::Error(config) when
/// PETLAB_CPU names no level or one that the machine lacks: ask once when a program starts.
[[nodiscard]] CpuLevel cpu_level();

/// Environment variables (name, value) that hold another program on LibTorch, oneDNN and MKL to a
/// level.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> environment_of(CpuLevel level);

}  // namespace petlab::kernels
