#include "open_clip_fixture.hpp"

#include "checkpoint_names.hpp"
#include "model_fixture.hpp"
#include "petlab/clip/safetensors.hpp"

#include <ATen/ATen.h>

#include <vector>

namespace petlab::clip::test {

Tensors open_clip_weights() {
  Tensors stored;
  for (const sdk::NamedTensor& weight : small_backbone()->weights()) {
    const WeightSource source = source_of(weight.name, Naming::open_clip, "");
    at::Tensor& target = stored[source.name];
    const at::Tensor value = source.transposed ? weight.value.t().contiguous() : weight.value;
    if (source.third < 0) {
      target = value.clone();
      continue;
    }
    if (!target.defined()) target = at::cat({value, value, value});
    target.narrow(0, source.third * value.size(0), value.size(0)).copy_(value);
  }
  return stored;
}

nlohmann::json open_clip_settings() {
  return {{"model_cfg",
           {{"embed_dim", 16},
            {"quick_gelu", true},
            {"vision_cfg",
             {{"layers", 3},
              {"width", 32},
              {"head_width", 8},
              {"mlp_ratio", 2.0},
              {"image_size", 16},
              {"patch_size", 8}}},
            {"text_cfg",
             {{"layers", 2},
              {"width", 24},
              {"heads", 3},
              {"mlp_ratio", 2.0},
              {"vocab_size", 560},
              {"context_length", 20}}}}}};
}

void write_tensors(const Tensors& tensors, const std::filesystem::path& file,
                   const std::string& prefix) {
  std::vector<sdk::NamedTensor> named;
  for (const auto& [name, value] : tensors)
    named.push_back({prefix + name, value});
  write_safetensors(named, file);
}

}  // namespace petlab::clip::test
