#pragma once

#include "stored_tensor.hpp"

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace petlab::clip {

/// How the bytes of an archive are looked at.
struct ArchiveReading {
  /// Compare the checksums of the pickle and of every tensor's storage.
  bool checksums = true;
  /// Told which bytes were read for a checksum and are not needed for now.
  std::function<void(std::size_t offset, std::size_t size)> done = nullptr;
};

/// The tensors of a PyTorch archive (torch.jit.save or torch.save of a state dictionary), by the
/// names that state_dict() gives them, sorted; those of a dictionary in a dictionary, as
/// checkpoints of a training hold it, are called "state_dict.NAME". Nothing in the archive is run
/// or compiled: its ZIP directory and its pickle are read by restricted readers, code is passed
/// over. `where` names the file. Throws Error(data).
///
/// torch::jit::load would compile the archive's code, call its __setstate__ and copy all storages
/// into memory first; LibTorch's own unpickler makes objects of any type that the file names.
[[nodiscard]] std::vector<StoredTensor> parse_torch_archive(std::span<const unsigned char> archive,
                                                            const std::string& where,
                                                            const ArchiveReading& how = {});

}  // namespace petlab::clip
