#include "checkpoint.hpp"

#include "petlab/clip/safetensors.hpp"
#include "petlab/sdk/error.hpp"

#include <ATen/ATen.h>

namespace petlab::pretrain {

void save_checkpoint(const Optimizer& optimizer, double seconds,
                     const std::filesystem::path& file) {
  std::vector<sdk::NamedTensor> state = optimizer.state();
  state.push_back({"seconds", at::scalar_tensor(seconds, at::kDouble)});
  clip::write_safetensors(state, file);
}

double load_checkpoint(Optimizer& optimizer, const std::filesystem::path& file) {
  const std::vector<sdk::NamedTensor> state = clip::read_safetensors(file);
  optimizer.load_state(state);
  if (state.back().name != "seconds")
    throw sdk::Error(sdk::ErrorKind::data, file.string() + " does not end with 'seconds'; it is " +
                                               "no checkpoint of petlab pretrain");
  return state.back().value.item<double>();
}

}  // namespace petlab::pretrain
