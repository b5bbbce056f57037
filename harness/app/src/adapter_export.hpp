#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::clip {
class Backbone;
}  // namespace petlab::clip
namespace petlab::engine {
struct StoredAdapters;
}  // namespace petlab::engine

// Adapters of a run in the layouts that other programs load.
namespace petlab::app {

/// Writes each adapter into a folder of its own in `out`: low-rank changes and (IA)^3 as PEFT's
/// PeftModel.from_pretrained() reads them (peft-OWNER/); copies of all weights as a CLIP in the
/// layout of Hugging Face (model-OWNER/), of some as these alone, for load_state_dict()
/// (weights-OWNER/); prompts as export_prompts() does. `model` is the path of the backbone, whose
/// vocabulary a whole CLIP gets. Returns the folders. `remarks` gets a sentence for each adapter
/// that has another layout than these: nothing is written of it here. Throws Error(data) naming a
/// file that cannot be written.
[[nodiscard]] std::vector<std::filesystem::path> export_adapters(
    const engine::StoredAdapters& stored, const clip::Backbone& backbone,
    const std::filesystem::path& model, const std::filesystem::path& out,
    std::vector<std::string>& remarks);

/// A folder in `out` for what is exported of an owner ("group art+line" -> PREFIX-group-art-line),
/// with a number behind it where one of `taken` is called so already.
[[nodiscard]] std::filesystem::path new_folder(const std::filesystem::path& out,
                                               const std::string& prefix, const std::string& owner,
                                               const std::vector<std::filesystem::path>& taken);

}  // namespace petlab::app
