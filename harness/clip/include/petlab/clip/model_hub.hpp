#pragma once

#include <filesystem>
#include <string>

/// Models by the names that the Hugging Face hub gives them, as far as they are on this machine:
/// its cache keeps ORG/NAME in models--ORG--NAME/snapshots/COMMIT. The network is never asked.
namespace petlab::clip {

/// The folder or file that `said` means, absolute. A relative path starts at `base`, or in the
/// working directory where that is empty. Where nothing is there and `said` reads ORG/NAME: that
/// model's snapshot in the hub's cache (HF_HUB_CACHE, else hub/ in HF_HOME, else
/// ~/.cache/huggingface/hub), the one that refs/main names or the only one. Else the path, which
/// does not exist.
[[nodiscard]] std::filesystem::path model_path(const std::filesystem::path& said,
                                               const std::filesystem::path& base = {});

/// What a model is called in records: NAME for a snapshot of ORG/NAME, else the last part of the
/// path.
[[nodiscard]] std::string model_name(const std::filesystem::path& path);

/// For a model that is not there and whose path ends like a name of the hub: how to get it, as the
/// end of a sentence. "" for other paths.
[[nodiscard]] std::string hub_hint(const std::filesystem::path& path);

}  // namespace petlab::clip
