#include "petlab/base/error.hpp"
#include "petlab/base/mapped_file.hpp"
#include "petlab/clip/safetensors.hpp"
#include "safetensors_header.hpp"
#include "shown_text.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstring>

namespace petlab::clip {

std::vector<sdk::NamedTensor> read_safetensors(const std::filesystem::path& path) {
  const base::MappedFile file(path);
  std::vector<sdk::NamedTensor> tensors;
  for (const StoredTensor& stored : parse_safetensors(file.bytes(), path.string())) {
    const at::Tensor tensor = at::empty(stored.shape, at::TensorOptions().dtype(stored.type));
    const auto bytes = file.bytes().subspan(stored.offset, stored.bytes);
    // Any other byte in a bool is undefined behaviour later on.
    if (stored.type == at::kBool &&
        std::any_of(bytes.begin(), bytes.end(), [](unsigned char b) { return b > 1; }))
      throw base::Error(base::ErrorKind::data, "safetensors file '" + path.string() +
                                                   "' has a bad entry '" + shown(stored.name) +
                                                   "': it holds bytes other than 0 and 1 as BOOL");
    if (!bytes.empty()) std::memcpy(tensor.mutable_data_ptr(), bytes.data(), bytes.size());
    file.drop(stored.offset, stored.bytes);
    tensors.push_back({stored.name, tensor});
  }
  return tensors;
}

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
  const base::MappedFile file(path);
  return parse_safetensors_metadata(file.bytes(), path.string());
}

}  // namespace petlab::clip
