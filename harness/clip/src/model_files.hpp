#pragma once

#include "petlab/base/mapped_file.hpp"
#include "settings.hpp"
#include "stored_tensor.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace petlab::clip {

/// Where the weights of a model lie.
struct ModelFiles {
  std::filesystem::path folder;                ///< with settings and vocabulary
  std::filesystem::path index;                 ///< of a sharded model; else empty
  std::vector<std::filesystem::path> weights;  ///< at least one
  bool is_archive = false;                     ///< a PyTorch archive, not safetensors

  /// "the file '...'" or "the index '...'", for messages.
  [[nodiscard]] std::string where() const;
};

/// Finds the weights for what the user gave: a directory (model.safetensors, its index,
/// open_clip_model.safetensors or the only *.pt, in this order, less those that are no CLIP where
/// another one is) or one of these files. Throws Error(data) saying what was looked for.
[[nodiscard]] ModelFiles find_model(const std::filesystem::path& path);

/// Tensor name -> file name, of an index of shards. A file of the index must be a plain name: a
/// model never reads outside of its folder. Throws Error(data).
[[nodiscard]] std::map<std::string, std::string> read_index(const std::filesystem::path& index);

/// How the tensors are called.
enum class Naming { hugging_face, open_clip };

/// All tensors of a model's files, mapped into memory, not read.
class StoredWeights {
 public:
  struct Place {
    const base::MappedFile* file;
    const StoredTensor* tensor;
  };

  /// Throws Error(data) for a damaged file, for a sharded model whose files do not hold what the
  /// index says, and with `only_published` for an archive that OpenAI has not published.
  explicit StoredWeights(const ModelFiles& files, bool only_published = false);

  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const Place* find(const std::string& name) const;
  [[nodiscard]] const std::unordered_map<std::string, Place>& all() const { return places_; }
  [[nodiscard]] Naming naming() const;
  /// SHA-256 of a PyTorch archive, of the mapping that the weights are taken from; "" for others.
  [[nodiscard]] std::string archive_hash() const;
  /// What stood in front of all names in the files and is taken off here: "module." of parallel
  /// training, "_orig_mod." of torch.compile, "base_model.model." of PEFT, "state_dict." of a
  /// checkpoint with more in it than weights; "" where nothing did.
  [[nodiscard]] const std::string& stripped() const { return stripped_; }
  /// Whether there is a tensor of an image tower and one of a text tower, of any layout.
  [[nodiscard]] bool is_clip() const;
  /// Throws Error(data) saying what the files hold where that is no CLIP that petlab computes: a
  /// ResNet, a timm tower, another model.
  void require_clip() const;
  /// Whether OpenCLIP's projection of texts is stored as a linear layer, with a bias.
  [[nodiscard]] bool has_linear_text_projection() const;
  /// "text." where OpenCLIP keeps the text tower in a module of its own; else nothing.
  [[nodiscard]] std::string text_prefix() const;

 private:
  struct File {
    explicit File(const std::filesystem::path& path) : mapping(path) {}
    base::MappedFile mapping;
    std::vector<StoredTensor> tensors;
  };

  void add(std::unique_ptr<File> file);
  void strip_prefix();

  std::string where_;
  std::string stripped_;
  std::vector<std::unique_ptr<File>> files_;
  const base::MappedFile* archive_ = nullptr;
  mutable std::string archive_hash_;  ///< once it was asked for
  std::unordered_map<std::string, Place> places_;
};

/// Settings of a model, and which files said so.
struct FoundSettings {
  Settings settings;
  std::string source;  ///< of the configuration
  std::string preprocessing_source;
  std::string family = {};  ///< family_name()
};

/// From config.json, open_clip_config.json or the shapes of the tensors, whatever the model has.
/// Throws Error(data) for a model of another family than petlab computes, naming it.
[[nodiscard]] FoundSettings find_settings(const ModelFiles& files, const StoredWeights& weights);

}  // namespace petlab::clip
