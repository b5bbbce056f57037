#include "petlab/kernels/cpu_level.hpp"

#include "amx.hpp"
#include "petlab/base/error.hpp"

#include <ATen/Context.h>
#include <hwy/targets.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace petlab::kernels {
namespace {

/// A level, and how the libraries under LibTorch are told to stay within it.
struct Limits {
  CpuLevel level;
  const char* name;
  const char* aten;    ///< ATEN_CPU_CAPABILITY
  const char* onednn;  ///< ONEDNN_MAX_CPU_ISA
  const char* mkl;     ///< MKL_ENABLE_INSTRUCTIONS
  /// MKL_CBWR: one branch of MKL on CPUs of all makers.
  const char* mkl_branch;
};

constexpr std::array kLimits = {
    Limits{CpuLevel::baseline, "baseline", "default", "SSE41", "SSE4_2", "SSE4_2"},
    Limits{CpuLevel::avx2, "avx2", "avx2", "AVX2", "AVX2", "AVX2"},
    Limits{CpuLevel::avx512, "avx512", "avx512", "AVX512_CORE", "AVX512", "AVX512"},
    Limits{CpuLevel::amx, "amx", "avx512", "ALL", "AVX512", "AVX512"}};

const Limits& limits_of(CpuLevel level) {
  return kLimits.at(static_cast<std::size_t>(level));
}

/// Highway's targets above a level.
std::int64_t targets_above(CpuLevel level) {
  // A smaller bit is a better target.
  if (level == CpuLevel::baseline) return (HWY_AVX2 << 1) - 1;
  if (level == CpuLevel::avx2) return (HWY_AVX3 << 1) - 1;
  return 0;
}

CpuLevel find_machine_level() {
  // Highway asks the CPU and, by XCR0, the system, which must save the registers.
  const std::int64_t targets = hwy::SupportedTargets();
  if ((targets & HWY_AVX2) == 0) return CpuLevel::baseline;
  if ((targets & HWY_AVX3) == 0) return CpuLevel::avx2;
  return machine_has_amx() ? CpuLevel::amx : CpuLevel::avx512;
}

std::string level_names(CpuLevel last) {
  std::string names;
  for (const Limits& limits : kLimits)
    if (limits.level <= last) names += (names.empty() ? "" : ", ") + std::string(limits.name);
  return names;
}

/// What the start of the process decided; `fault` instead of an exception while it is loaded.
struct Decision {
  CpuLevel machine = CpuLevel::baseline;
  CpuLevel level = CpuLevel::baseline;
  std::string fault;
};

/// What PETLAB_CPU says of the level.
Decision asked_for() {
  Decision decision;
  decision.machine = decision.level = find_machine_level();
  const char* wish = std::getenv("PETLAB_CPU");
  if (wish == nullptr || *wish == '\0') return decision;
  const Limits* asked = nullptr;
  for (const Limits& limits : kLimits)
    if (std::string_view(wish) == limits.name) asked = &limits;
  if (asked == nullptr) {
    decision.fault =
        "PETLAB_CPU is '" + std::string(wish) + "', expected one of " + level_names(CpuLevel::amx);
  } else if (asked->level > decision.machine) {
    decision.fault =
        "PETLAB_CPU is '" + std::string(wish) + "', but this machine offers no more than '" +
        limits_of(decision.machine).name + "'; expected one of " + level_names(decision.machine);
  } else {
    decision.level = asked->level;
  }
  return decision;
}

/// Whether the variable has no value of the user's; a parent process may have set ours.
bool is_unset_or_ours(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return true;
  for (const Limits& limits : kLimits)
    if (std::string_view(value) == limits.mkl_branch) return true;
  return false;
}

/// Highway is told at once; the others listen when they first compute.
Decision decide() {
  const Decision decision = asked_for();
  const Limits& limits = limits_of(decision.level);
  if (is_unset_or_ours("MKL_CBWR")) ::setenv("MKL_CBWR", limits.mkl_branch, /*overwrite=*/1);
  if (decision.level == decision.machine) return decision;
  hwy::DisableTargets(targets_above(decision.level));
  for (const auto& [name, value] : environment_of(decision.level))
    ::setenv(name.c_str(), value.c_str(), /*overwrite=*/1);
  return decision;
}

const Decision& decision() {
  static const Decision made = decide();
  return made;
}

// While the program is loaded: LibTorch asks for its limits only when it first computes.
[[maybe_unused]] const Decision& at_load = decision();

/// LibTorch's capability as a level; none where its word is not known.
std::optional<CpuLevel> torch_level() {
  const std::string name = at::get_cpu_capability();
  if (name == "DEFAULT") return CpuLevel::baseline;
  if (name == "AVX2") return CpuLevel::avx2;
  if (name == "AVX512") return CpuLevel::avx512;
  return std::nullopt;
}

}  // namespace

std::string to_string(CpuLevel level) {
  return limits_of(level).name;
}

std::vector<std::pair<std::string, std::string>> environment_of(CpuLevel level) {
  const Limits& limits = limits_of(level);
  return {{"ATEN_CPU_CAPABILITY", limits.aten},
          {"ONEDNN_MAX_CPU_ISA", limits.onednn},
          {"MKL_ENABLE_INSTRUCTIONS", limits.mkl}};
}

CpuLevel machine_cpu_level() {
  return decision().machine;
}

CpuLevel cpu_level() {
  const Decision& made = decision();
  if (!made.fault.empty()) throw base::Error(base::ErrorKind::config, made.fault);
  static const std::optional<CpuLevel> torch = torch_level();
  if (torch > made.level) {
    throw base::Error(base::ErrorKind::internal,
                      "LibTorch computes with '" + to_string(*torch) + "' though the level is '" +
                          to_string(made.level) + "': it started before the level was set");
  }
  return made.level;
}

}  // namespace petlab::kernels
