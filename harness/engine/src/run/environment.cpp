#include "petlab/engine/environment.hpp"

#include "petlab/base/error.hpp"
#include "petlab/engine/run.hpp"
#include "petlab/kernels/cpu_level.hpp"
#include "petlab/kernels/linear.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

namespace petlab::engine {
namespace {

/// The value of the first line "KEY : value" of a file; "" without one.
std::string value_in(const std::filesystem::path& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) != 0) continue;
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    const auto first = line.find_first_not_of(" \t", colon + 1);
    return first == std::string::npos ? "" : line.substr(first);
  }
  return "";
}

/// Name of the first GPU, as its driver tells it.
std::string gpu_name() {
  std::error_code none;
  for (const auto& gpu : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none)) {
    const std::string name = value_in(gpu.path() / "information", "Model");
    if (!name.empty()) return name;
  }
  return "cuda";
}

std::string cpu_name() {
  std::string name = value_in("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

}  // namespace

c10::Device parse_device(const std::string& name) {
  const auto kind = parse_value<DeviceKind>(name);
  if (!kind)
    throw base::Error(base::ErrorKind::config,
                      "device is '" + name + "', expected one of cpu, cuda");
  if (kind == DeviceKind::cpu) return c10::kCPU;
  if (!at::hasCUDA()) {
    throw base::Error(base::ErrorKind::device,
                      "device is 'cuda', but LibTorch finds no CUDA device here; it needs a CUDA "
                      "build of LibTorch and a GPU with its driver");
  }
  return {c10::kCUDA, 0};
}

results::NamedValues describe_environment(c10::Device device, results::NamedValues known) {
  const auto add = [&known](const char* name, std::string value) {
    const bool there = std::any_of(known.begin(), known.end(),
                                   [name](const auto& pair) { return pair.first == name; });
    if (!there) known.emplace_back(name, std::move(value));
  };
  namespace env = results::environment;
  add(env::kDevice, device.is_cpu() ? "cpu" : gpu_name());
  add(env::kCpu, cpu_name());
  add(env::kThreads, std::to_string(at::get_num_threads()));
  add(env::kTorchVersion, TORCH_VERSION);
  add(env::kCpuLevel, to_string(kernels::cpu_level()));
  add("matmul", device.is_cpu() ? kernels::matmul_name() : "library");
  return known;
}

}  // namespace petlab::engine
