#include "model_files.hpp"

#include "checkpoint_names.hpp"
#include "known_weights.hpp"
#include "open_clip_family.hpp"
#include "petlab/base/error.hpp"
#include "petlab/clip/model_hub.hpp"
#include "shown_text.hpp"

#include <algorithm>
#include <map>

namespace petlab::clip {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxIndexBytes = 50'000'000;

}  // namespace

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

namespace {

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

/// Of timm's models, model.safetensors is an image tower alone, and the CLIP stands beside it.
const ModelFiles& first_clip(const std::vector<ModelFiles>& found) {
  for (const ModelFiles& files : found) {
    if (found.size() == 1) break;
    try {
      if (StoredWeights(files).is_clip()) return files;
    } catch (const base::Error&) {
      break;  // a damaged file is told of, not passed by
    }
  }
  return found.front();
}

ModelFiles find_in_folder(const fs::path& folder) {
  std::vector<ModelFiles> found;
  for (const char* name : {"model.safetensors", "open_clip_model.safetensors"}) {
    const fs::path index = folder / (std::string(name) + ".index.json");
    if (fs::exists(folder / name))
      found.push_back(single(folder / name));
    else if (fs::exists(index))
      found.push_back(sharded(index));
  }
  if (!found.empty()) return first_clip(found);
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

ModelFiles find_model(const fs::path& said) {
  std::error_code error;
  const fs::path path = fs::exists(said, error) ? said : model_path(said);
  if (fs::is_directory(path, error)) return find_in_folder(path);
  if (!fs::exists(path, error))
    base::throw_data_error("there is no model '" + path.string() + "'" + hub_hint(path));
  const std::string name = path.filename().string();
  if (name.ends_with(".safetensors") || name.ends_with(".pt")) return single(path);
  if (name.ends_with(".safetensors.index.json")) return sharded(path);
  base::throw_data_error(
      "'" + path.string() +
      "' is neither a model directory nor a file *.safetensors, *.safetensors.index.json or *.pt");
}

namespace {

/// Throws where open_clip_config.json says that a tower has LayerScale and the weights hold no
/// factors of it.
void check_layer_scale(const JsonObject& json, const StoredWeights& weights) {
  const JsonObject model = json.object("model_cfg");
  const auto check = [&](const char* section, const std::string& prefix) {
    const JsonObject tower = model.object(section);
    const std::string factors = prefix + "transformer.resblocks.0.ls_1.gamma";
    if (tower.given("ls_init_value") && weights.find(factors) == nullptr)
      tower.fail("ls_init_value",
                 "is set, but " + weights.where() + " lacks the tensor '" + factors + "'");
  };
  check("vision_cfg", "visual.");
  check("text_cfg", weights.text_prefix());
}

FoundSettings settings_beside(const ModelFiles& files, const StoredWeights& weights) {
  const fs::path open_clip = files.folder / "open_clip_config.json";
  const fs::path hugging_face = files.folder / "config.json";
  const fs::path processor = files.folder / "preprocessor_config.json";
  const auto from_shapes = [&](Activation activation) {
    const Config config = config_from_shapes(weights, activation);
    return Settings{config, Preprocessing{.image_size = config.shape.image_size}};
  };
  const std::string shapes = "the shapes of the tensors";
  const bool has_open_clip_names = weights.naming() == Naming::open_clip;
  const auto as_openai = [&] {
    return FoundSettings{from_shapes(Activation::quick_gelu), shapes, "OpenAI's constants"};
  };
  // What OpenAI has published is what its code makes of it. Any other archive means what stands
  // beside it.
  const bool stands_alone =
      !fs::exists(open_clip) && !fs::exists(hugging_face) && !fs::exists(processor);
  if (files.is_archive && has_open_clip_names &&
      (stands_alone || find_published(weights.archive_hash()) != nullptr))
    return as_openai();
  if (has_open_clip_names && fs::exists(open_clip)) {
    const JsonObject json = JsonObject::read(open_clip);
    FoundSettings found{open_clip_settings_of(json), "open_clip_config.json",
                        "open_clip_config.json"};
    check_layer_scale(json, weights);
    return found;
  }
  if (files.is_archive && has_open_clip_names && !fs::exists(hugging_face)) {
    FoundSettings found = as_openai();
    found.settings.preprocessing = read_preprocessing(files.folder);
    found.preprocessing_source = "preprocessor_config.json";
    return found;
  }
  if (has_open_clip_names && !fs::exists(hugging_face))
    return {from_shapes(Activation::gelu), shapes + ", GELU as OpenCLIP's default",
            "OpenAI's constants, OpenCLIP's default"};
  return {{read_config(files.folder), read_preprocessing(files.folder)},
          "config.json",
          fs::exists(processor) ? "preprocessor_config.json" : "processor_config.json"};
}

/// The name of the model's layout, in front of its family.
std::string origin_of(const ModelFiles& files, const StoredWeights& weights) {
  if (weights.naming() == Naming::hugging_face) return "CLIP";
  return files.is_archive ? "OpenAI's CLIP" : "OpenCLIP";
}

}  // namespace

FoundSettings find_settings(const ModelFiles& files, const StoredWeights& weights) {
  // The configuration tells more of a family than the names of its tensors do.
  const fs::path open_clip = files.folder / "open_clip_config.json";
  const auto has = [&](const char* start) {
    return std::any_of(weights.all().begin(), weights.all().end(),
                       [&](const auto& one) { return one.first.starts_with(start); });
  };
  if (!files.is_archive && fs::exists(open_clip) && has("visual."))
    refuse_other_families(JsonObject::read(open_clip).object("model_cfg"));
  weights.require_clip();
  FoundSettings found = settings_beside(files, weights);
  found.family = family_name(found.settings.config, origin_of(files, weights));
  return found;
}

}  // namespace petlab::clip
