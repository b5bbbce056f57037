#pragma once

#if defined(__x86_64__)
#define PETLAB_HAS_AMX_CODE 1
/// Marks functions that may only run where machine_has_amx() says so. A mark on each function
/// instead of a compiler flag for the file: inline functions of headers must not be compiled for
/// this machine alone, since the linker may choose that copy for the whole program.
#define PETLAB_AMX \
  __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,amx-tile,amx-bf16")))
#define PETLAB_AMX_INLINE PETLAB_AMX __attribute__((always_inline)) inline
#endif

namespace petlab::kernels {

/// Whether the processor has AMX tiles with bf16 products and the kernel of the system lets this
/// process use them. Asked once. Whether they may be used is for cpu_level() to say.
[[nodiscard]] bool machine_has_amx();

/// Eight tiles of 16 rows of 64 bytes for the calling thread, as long as the object lives. LibTorch
/// configures tiles as well, so nobody may rely on what was there before.
class TileScope {
 public:
  TileScope();
  ~TileScope();
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

}  // namespace petlab::kernels
