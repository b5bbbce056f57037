#include "amx.hpp"

#ifdef PETLAB_HAS_AMX_CODE
#include <cpuid.h>
#include <immintrin.h>

#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace petlab::kernels {

#ifdef PETLAB_HAS_AMX_CODE

namespace {

bool processor_has_amx() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kAmxBf16 = 1U << 22, kAmxTile = 1U << 24;
  return (d & kAmxBf16) != 0 && (d & kAmxTile) != 0;
}

/// Linux saves the tiles of a thread only for processes that asked for it.
bool system_allows_tiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

struct alignas(64) TileConfig {
  unsigned char palette = 1;
  unsigned char start_row = 0;
  unsigned char reserved[14] = {};
  unsigned short row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  unsigned char rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64);

constexpr TileConfig kConfig;

PETLAB_AMX void load_config() {
  _tile_loadconfig(&kConfig);
}

PETLAB_AMX void release() {
  _tile_release();
}

}  // namespace

bool machine_has_amx() {
  static const bool has = processor_has_amx() && system_allows_tiles();
  return has;
}

TileScope::TileScope() {
  load_config();
}

TileScope::~TileScope() {
  release();
}

#else

bool machine_has_amx() {
  return false;
}

TileScope::TileScope() = default;
TileScope::~TileScope() = default;

#endif

}  // namespace petlab::kernels
