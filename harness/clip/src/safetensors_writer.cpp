#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"
#include "petlab/clip/safetensors.hpp"
#include "safetensors_types.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <set>

namespace petlab::clip {

using base::Error;
using base::ErrorKind;

namespace {

std::string_view type_name(const sdk::NamedTensor& tensor) {
  for (const SafetensorsType& known : kSafetensorsTypes)
    if (known.type == tensor.value.scalar_type()) return known.name;
  throw Error(ErrorKind::internal, "tensor '" + tensor.name + "' has type " +
                                       std::string(at::toString(tensor.value.scalar_type())) +
                                       ", which a safetensors file cannot hold");
}

}  // namespace

void write_safetensors(const std::vector<sdk::NamedTensor>& tensors,
                       const std::filesystem::path& file,
                       const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string> names;
  std::size_t offset = 0;
  for (const sdk::NamedTensor& tensor : tensors) {
    if (tensor.name == "__metadata__" || !names.insert(tensor.name).second)
      throw Error(ErrorKind::internal, "cannot write '" + file.string() + "': the tensor name '" +
                                           tensor.name + "' is taken");
    const std::size_t end = offset + tensor.value.nbytes();
    header[tensor.name] = {{"dtype", type_name(tensor)},
                           {"shape", tensor.value.sizes().vec()},
                           {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  // The format allows trailing spaces; with them the data starts on a multiple of 8.
  text.append((8 - text.size() % 8) % 8, ' ');

  base::AtomicFile out(file);
  std::array<unsigned char, 8> length{};
  for (std::size_t i = 0; i < length.size(); ++i)
    length[i] = static_cast<unsigned char>(text.size() >> (8 * i));
  out.write(length.data(), length.size());
  out.write(text);
  for (const sdk::NamedTensor& tensor : tensors) {
    const at::Tensor flat = tensor.value.detach().to(at::kCPU).contiguous();
    out.write(flat.const_data_ptr(), flat.nbytes());
  }
  out.commit();
}

}  // namespace petlab::clip
