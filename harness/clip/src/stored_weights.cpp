#include "known_weights.hpp"
#include "model_files.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/lfs_pointer.hpp"
#include "petlab/base/sha256.hpp"
#include "safetensors_header.hpp"
#include "shown_text.hpp"
#include "torchscript_archive.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace petlab::clip {

namespace fs = std::filesystem;

namespace {

// Names that every CLIP of a layout has, of one tower each.
constexpr std::array<std::string_view, 3> kVisionAnchors{"visual.class_embedding",
                                                         "vision_model.embeddings.class_embedding",
                                                         "vision_model.head.probe"};  // SigLIP
constexpr std::array<std::string_view, 2> kTextAnchors{
    "token_embedding.weight", "text_model.embeddings.token_embedding.weight"};

/// Names of the first layer of all image towers, ResNets too, in front of which a prefix shows.
constexpr std::array<std::string_view, 4> kPrefixAnchors{
    "visual.conv1.weight", "visual.class_embedding", "vision_model.embeddings.class_embedding",
    "vision_model.head.probe"};

/// What checkpoints of a training keep their weights in, beside an optimizer's tensors and others.
constexpr std::array<std::string_view, 3> kInnerDictionaries{"state_dict.", "model_state_dict.",
                                                             "model."};

}  // namespace

StoredWeights::StoredWeights(const ModelFiles& files, bool only_published) : where_(files.where()) {
  for (const fs::path& path : files.weights) {
    auto file = std::make_unique<File>(path);
    const base::MappedFile& mapping = file->mapping;
    const std::string_view start(reinterpret_cast<const char*>(mapping.bytes().data()),
                                 std::min<std::size_t>(mapping.bytes().size(), 64));
    if (base::is_lfs_pointer(start))
      base::throw_data_error("'" + path.string() + "'" + base::kLfsPointer);
    if (files.is_archive) archive_ = &mapping;
    if (files.is_archive && only_published) require_published(path, archive_hash());
    if (files.is_archive)
      file->tensors = parse_torch_archive(
          mapping.bytes(), path.string(),
          {.checksums = true,
           .done = [&](std::size_t offset, std::size_t size) { mapping.drop(offset, size); }});
    else
      file->tensors = parse_safetensors(mapping.bytes(), path.string());
    add(std::move(file));
  }
  if (!files.index.empty())
    for (const auto& [name, file] : read_index(files.index)) {
      const Place* place = find(name);
      if (place == nullptr || place->file->path() != files.folder / file)
        base::throw_data_error(where_ + " says that the tensor '" + shown(name) + "' is in '" +
                               shown(file) + "', but it is not");
    }
  strip_prefix();
}

std::string StoredWeights::archive_hash() const {
  if (archive_ == nullptr || !archive_hash_.empty()) return archive_hash_;
  base::Sha256 hash;
  const auto bytes = archive_->bytes();
  constexpr std::size_t kPiece = std::size_t{1} << 24U;  // the rest need not be in memory
  for (std::size_t first = 0; first < bytes.size(); first += kPiece) {
    const std::size_t size = std::min(kPiece, bytes.size() - first);
    hash.update(bytes.subspan(first, size));
    archive_->drop(first, size);
  }
  return archive_hash_ = hash.finish_hex();
}

void StoredWeights::strip_prefix() {
  std::set<std::string> prefixes;
  for (const auto& [name, place] : places_)
    for (const std::string_view anchor : kPrefixAnchors)
      if (name.ends_with(anchor)) prefixes.insert(name.substr(0, name.size() - anchor.size()));
  if (prefixes.size() != 1 || prefixes.begin()->empty()) return;
  const std::string& prefix = *prefixes.begin();
  std::string outside;
  for (const auto& [name, place] : places_)
    if (!name.starts_with(prefix) && (outside.empty() || name < outside)) outside = name;
  // Nothing but the inner dictionary itself may stand beside others.
  const auto* inner = std::find_if(kInnerDictionaries.begin(), kInnerDictionaries.end(),
                                   [&](std::string_view one) { return prefix.starts_with(one); });
  if (!outside.empty()) {
    const bool is_beside = inner != kInnerDictionaries.end() && !outside.starts_with(*inner);
    if (!is_beside)
      base::throw_data_error(where_ + " holds a CLIP whose names begin with '" + shown(prefix) +
                             "', and beside it the tensor '" + shown(outside) +
                             "': expected the CLIP alone");
  }
  std::unordered_map<std::string, Place> stripped;
  for (const auto& [name, place] : places_) {
    if (!name.starts_with(prefix)) continue;
    const std::string rest = name.substr(prefix.size());
    // Either might be the weight that is meant.
    if (places_.contains(rest))
      base::throw_data_error(where_ + " holds the tensors '" + shown(rest) + "' and '" +
                             shown(name) + "', which are one without the prefix '" + shown(prefix) +
                             "': expected the CLIP alone");
    stripped.emplace(rest, place);
  }
  stripped_ = prefix;
  places_ = std::move(stripped);
}

bool StoredWeights::is_clip() const {
  const auto has_one = [&](const auto& names) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
      return find(std::string(name)) != nullptr || find("text." + std::string(name)) != nullptr;
    });
  };
  return has_one(kVisionAnchors) && has_one(kTextAnchors);
}

void StoredWeights::require_clip() const {
  const auto has_start = [&](std::string_view start) {
    return std::any_of(places_.begin(), places_.end(),
                       [&](const auto& one) { return one.first.starts_with(start); });
  };
  if (has_start("visual.attnpool.") || has_start("visual.layer1."))
    base::throw_data_error(where_ +
                           " holds a CLIP with a ResNet (RN50 and the like) as its image tower: "
                           "petlab computes vision transformers only");
  if (has_start("visual.trunk.attn_pool."))
    base::throw_data_error(where_ +
                           " holds a SigLIP with the names of timm and OpenCLIP (visual.trunk): "
                           "petlab reads SigLIP in the layout of Hugging Face, which its authors "
                           "publish, too (google/siglip-*, google/siglip2-*)");
  if (has_start("visual.trunk."))
    base::throw_data_error(where_ +
                           " holds a CLIP with an image tower of timm (visual.trunk): petlab "
                           "reads OpenCLIP's own vision transformers only");
  for (const auto& [name, place] : places_)
    if (name.find(".lora_A.") != std::string::npos ||
        name.find(".base_layer.") != std::string::npos)
      base::throw_data_error(where_ + " holds adapters of PEFT that are not merged (tensor '" +
                             shown(name) +
                             "'): merge_and_unload() of the model makes a CLIP of it");
  const bool has_tower = std::any_of(places_.begin(), places_.end(), [](const auto& one) {
    return one.first.starts_with("visual") || one.first.starts_with("vision_model.") ||
           one.first.starts_with("text_model.") || one.first.starts_with("transformer.") ||
           one.first.find("token_embedding") != std::string::npos;
  });
  if (has_tower || is_clip()) return;
  std::string first;
  for (const auto& [name, place] : places_)
    if (first.empty() || name < first) first = name;
  base::throw_data_error(
      where_ + " holds no CLIP" +
      (first.empty() ? std::string() : ", but tensors such as '" + shown(first) + "'") +
      ": expected the names of Hugging Face's or OpenCLIP's layout, as " +
      std::string(kVisionAnchors[0]) + " or " + std::string(kVisionAnchors[1]));
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

bool StoredWeights::has_linear_text_projection() const {
  return find(text_prefix() + "text_projection.weight") != nullptr;
}

std::string StoredWeights::text_prefix() const {
  return find("text.token_embedding.weight") != nullptr ? "text." : "";
}

}  // namespace petlab::clip
