#pragma once

#include "petlab/base/mapped_file.hpp"
#include "settings.hpp"
#include "stored_tensor.hpp"

#include <filesystem>
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
/// open_clip_model.safetensors or the only *.pt, in this order) or one of these files. Throws
/// Error(data) saying what was looked for.
[[nodiscard]] ModelFiles find_model(const std::filesystem::path& path);

/// How the tensors are called.
enum class Naming { hugging_face, open_clip };

/// All tensors of a model's files, mapped into memory, not read.
class StoredWeights {
 public:
  struct Place {
    const base::MappedFile* file;
    const StoredTensor* tensor;
  };

  /// Throws Error(data) for a damaged file, and for a sharded model whose files do not hold what
  /// the index says.
  explicit StoredWeights(const ModelFiles& files);

  [[nodiscard]] const std::string& where() const { return where_; }
  [[nodiscard]] const Place* find(const std::string& name) const;
  [[nodiscard]] const std::unordered_map<std::string, Place>& all() const { return places_; }
  [[nodiscard]] Naming naming() const;
  /// "text." where OpenCLIP keeps the text tower in a module of its own; else nothing.
  [[nodiscard]] std::string text_prefix() const;

 private:
  struct File {
    explicit File(const std::filesystem::path& path) : mapping(path) {}
    base::MappedFile mapping;
    std::vector<StoredTensor> tensors;
  };

  void add(std::unique_ptr<File> file);

  std::string where_;
  std::vector<std::unique_ptr<File>> files_;
  std::unordered_map<std::string, Place> places_;
};

/// Settings of a model, and which files said so.
struct FoundSettings {
  Settings settings;
  std::string source;  ///< of the configuration
  std::string preprocessing_source;
};

/// From config.json, open_clip_config.json or the shapes of the tensors, whatever the model has.
[[nodiscard]] FoundSettings find_settings(const ModelFiles& files, const StoredWeights& weights);

}  // namespace petlab::clip
