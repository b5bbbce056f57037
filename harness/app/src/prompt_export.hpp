#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::clip {
class Backbone;
}  // namespace petlab::clip
namespace petlab::engine {
struct StoredAdapter;
struct StoredAdapters;
}  // namespace petlab::engine

// Prompts of a run, for CLIPModel of transformers.
namespace petlab::app {

/// True for an adapter that changes nothing but prompts (and how they follow the image).
[[nodiscard]] bool has_prompts_alone(const engine::StoredAdapter& adapter);

/// For adapters that all have prompts alone: writes the prompts that the towers see, those of a
/// task's adapters composed, into a folder for each set of tasks that see the same ones
/// (prompts-OWNER/: prompts.safetensors, prompts.json and the load_prompts.py that hooks them into
/// CLIPModel; the README of this folder has the layout). Returns the folders. `remarks` gets a
/// sentence for prompts that the loader has no place for. Throws Error(data) naming a file that
/// cannot be written.
[[nodiscard]] std::vector<std::filesystem::path> export_prompts(
    const engine::StoredAdapters& stored, const clip::Backbone& backbone,
    const std::filesystem::path& out, std::vector<std::string>& remarks);

}  // namespace petlab::app
