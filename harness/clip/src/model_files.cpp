#include "model_files.hpp"

#include "checkpoint_names.hpp"
#include "petlab/base/error.hpp"
#include "safetensors_header.hpp"
#include "shown_text.hpp"
#include "torchscript_archive.hpp"

#include <algorithm>
#include <map>

namespace petlab::clip {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxIndexBytes = 50'000'000;

/// Tensor name -> file name. A file of the index must be a plain name: a model never reads outside
/// of its folder.
std::map<std::string, std::string> read_index(const fs::path& index) {
  const JsonObject json = JsonObject::read(index, kMaxIndexBytes);
  const JsonObject map = json.object("weight_map");
  std::map<std::string, std::string> result;
  for (const auto& [tensor, unused] : map.items().items()) {
    const std::string file = map.text(tensor);
    if (file.empty() || file.find('/') != std::string::npos || file == "." || file == "..")
      map.fail(tensor, "is '" + shown(file) + "', expected the name of a file beside the index");
    result[tensor] = file;
  }
  if (result.empty()) json.fail("weight_map", "is empty");
  return result;
}

ModelFiles sharded(const fs::path& index) {
  ModelFiles files{.folder = index.parent_path(), .index = index, .weights = {}};
  for (const auto& [tensor, file] : read_index(index))
    files.weights.push_back(files.folder / file);
  std::sort(files.weights.begin(), files.weights.end());
  files.weights.erase(std::unique(files.weights.begin(), files.weights.end()), files.weights.end());
  return files;
}

ModelFiles single(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  return {
      .folder = folder, .index = {}, .weights = {file}, .is_archive = file.extension() == ".pt"};
}

ModelFiles find_in_folder(const fs::path& folder) {
  for (const char* name : {"model.safetensors", "open_clip_model.safetensors"}) {
    if (fs::exists(folder / name)) return single(folder / name);
    const fs::path index = folder / (std::string(name) + ".index.json");
    if (fs::exists(index)) return sharded(index);
  }
  std::vector<fs::path> archives;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error))
    if (entry.path().extension() == ".pt") archives.push_back(entry.path());
  if (error)
    base::throw_data_error("cannot read the directory '" + folder.string() +
                           "': " + error.message());
  if (archives.size() == 1) return single(archives.front());
  if (archives.size() > 1)
    base::throw_data_error("the directory '" + folder.string() + "' holds " +
                           std::to_string(archives.size()) +
                           " files *.pt; name the one that is meant");
  const bool has_bin = fs::exists(folder / "pytorch_model.bin") ||
                       fs::exists(folder / "open_clip_pytorch_model.bin");
  base::throw_data_error(
      "the directory '" + folder.string() +
      "' holds no weights of a CLIP: expected model.safetensors, model.safetensors.index.json, "
      "open_clip_model.safetensors or one *.pt of OpenAI's" +
      (has_bin ? "; its *.bin must be converted to safetensors first" : ""));
}

}  // namespace

std::string ModelFiles::where() const {
  return index.empty() ? "the file '" + weights.front().string() + "'"
                       : "the index '" + index.string() + "'";
}

ModelFiles find_model(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return find_in_folder(path);
  if (!fs::exists(path, error)) base::throw_data_error("there is no model '" + path.string() + "'");
  const std::string name = path.filename().string();
  if (name.ends_with(".safetensors") || name.ends_with(".pt")) return single(path);
  if (name.ends_with(".safetensors.index.json")) return sharded(path);
  base::throw_data_error(
      "'" + path.string() +
      "' is neither a model directory nor a file *.safetensors, *.safetensors.index.json or *.pt");
}

StoredWeights::StoredWeights(const ModelFiles& files) : where_(files.where()) {
  for (const fs::path& path : files.weights) {
    auto file = std::make_unique<File>(path);
    const base::MappedFile& mapping = file->mapping;
    if (files.is_archive)
      file->tensors = parse_torch_archive(
          mapping.bytes(), path.string(),
          {.checksums = true,
           .done = [&](std::size_t offset, std::size_t size) { mapping.drop(offset, size); }});
    else
      file->tensors = parse_safetensors(mapping.bytes(), path.string());
    add(std::move(file));
  }
  if (files.index.empty()) return;
  for (const auto& [name, file] : read_index(files.index)) {
    const Place* place = find(name);
    if (place == nullptr || place->file->path() != files.folder / file)
      base::throw_data_error(where_ + " says that the tensor '" + shown(name) + "' is in '" +
                             shown(file) + "', but it is not");
  }
}

void StoredWeights::add(std::unique_ptr<File> file) {
  for (const StoredTensor& tensor : file->tensors)
    if (!places_.emplace(tensor.name, Place{&file->mapping, &tensor}).second)
      base::throw_data_error("the file '" + file->mapping.path().string() + "' holds the tensor '" +
                             shown(tensor.name) + "', which another file of the model holds, too");
  files_.push_back(std::move(file));
}

const StoredWeights::Place* StoredWeights::find(const std::string& name) const {
  const auto found = places_.find(name);
  return found == places_.end() ? nullptr : &found->second;
}

Naming StoredWeights::naming() const {
  return find("visual.conv1.weight") != nullptr || find("visual.proj") != nullptr
             ? Naming::open_clip
             : Naming::hugging_face;
}

std::string StoredWeights::text_prefix() const {
  return find("text.token_embedding.weight") != nullptr ? "text." : "";
}

FoundSettings find_settings(const ModelFiles& files, const StoredWeights& weights) {
  const fs::path open_clip = files.folder / "open_clip_config.json";
  const auto from_shapes = [&](Activation activation) {
    const Config config = config_from_shapes(weights, activation);
    return Settings{config, Preprocessing{.image_size = config.shape.image_size}};
  };
  const std::string shapes = "the shapes of the tensors";
  if (files.is_archive) return {from_shapes(Activation::quick_gelu), shapes, "OpenAI's constants"};
  if (weights.naming() == Naming::open_clip && fs::exists(open_clip))
    return {open_clip_settings_of(JsonObject::read(open_clip)), "open_clip_config.json",
            "open_clip_config.json"};
  if (weights.naming() == Naming::open_clip && !fs::exists(files.folder / "config.json"))
    return {from_shapes(Activation::gelu), shapes + ", GELU as OpenCLIP's default",
            "OpenAI's constants, OpenCLIP's default"};
  return {{read_config(files.folder), read_preprocessing(files.folder)},
          "config.json",
          fs::exists(files.folder / "preprocessor_config.json") ? "preprocessor_config.json"
                                                                : "processor_config.json"};
}

}  // namespace petlab::clip
