#include "open_clip_family.hpp"

#include "shown_text.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace petlab::clip {

namespace {

struct Known {
  std::string_view part;  ///< of a name
  std::string_view family;
};

// Image towers of timm, by a part of their names; the first that is found counts.
constexpr std::array<Known, 10> kTimmTowers{{
    {"siglip",
     "SigLIP in timm's layout, which petlab reads in that of Hugging Face only "
     "(google/siglip-*, google/siglip2-*)"},
    {"eva02", "EVA-02 (rotary positions, SwiGLU)"},
    {"eva", "EVA (its own blocks and pooling)"},
    {"fastvit", "MobileCLIP (a convolutional FastViT)"},
    {"mci", "MobileCLIP (a ViT with a convolutional stem)"},
    {"vit_pe_core", "Perception Encoder (rotary positions, attention pooling)"},
    {"vitamin", "ViTamin (convolutional stages)"},
    {"convnext", "ConvNeXt CLIP (a convolutional image tower)"},
    {"swin", "Swin CLIP (windowed attention)"},
    {"vit", "a ViT of timm (other positions or pooling)"},
}};

// Vocabularies of text towers that are otherwise CLIP's.
constexpr std::array<Known, 5> kVocabularies{{
    {"bert-base", "CLIPA"},
    {"xlm", "MetaCLIP worldwide"},
    {"mt5", "MetaCLIP worldwide"},
    {"nllb", "NLLB-CLIP"},
    {"SigLIP", "SigLIP"},
}};

template <std::size_t N>
const Known* find(const std::array<Known, N>& list, std::string_view name) {
  for (const Known& one : list)
    if (name.find(one.part) != std::string_view::npos) return &one;
  return nullptr;
}

}  // namespace

void refuse_other_families(const JsonObject& model) {
  if (model.given("multimodal_cfg"))
    model.fail("multimodal_cfg",
               "is given: the family is CoCa, with attention pooling and a text decoder, which "
               "petlab does not compute");
  const JsonObject vision = model.object("vision_cfg");
  const JsonObject text = model.object("text_cfg");
  if (text.given("hf_model_name"))
    text.fail("hf_model_name", "is '" + shown(text.text("hf_model_name")) +
                                   "': the family is CLIP with a text tower of Hugging Face; "
                                   "petlab computes OpenCLIP's own text transformers only");
  if (vision.given("timm_model_name")) {
    const std::string name = vision.text("timm_model_name");
    const Known* known = find(kTimmTowers, name);
    vision.fail("timm_model_name",
                "is '" + shown(name) + "', an image tower of timm: the family is " +
                    (known != nullptr ? std::string(known->family) : "CLIP with a tower of timm") +
                    "; petlab computes OpenCLIP's own vision transformers only");
  }
  if (vision.given("layers") && vision.at("layers").is_array())
    vision.fail("layers",
                "is a list: the family is CLIP with a ResNet (RN50 and the like) as its "
                "image tower; petlab does not compute ResNet towers");
  if (text.given("hf_tokenizer_name")) {
    const std::string name = text.text("hf_tokenizer_name");
    if (const Known* known = find(kVocabularies, name))
      text.fail("hf_tokenizer_name", "is '" + shown(name) + "': the family is " +
                                         std::string(known->family) +
                                         ", with a vocabulary that petlab does not read");
  }
}

std::string tower_name(const Config& config) {
  constexpr std::array<std::pair<std::int64_t, std::string_view>, 10> kWidths{{{384, "S"},
                                                                               {512, "M"},
                                                                               {768, "B"},
                                                                               {896, "B-plus"},
                                                                               {1024, "L"},
                                                                               {1152, "SO400M"},
                                                                               {1280, "H"},
                                                                               {1408, "g"},
                                                                               {1664, "bigG"},
                                                                               {1792, "e"}}};
  const std::int64_t width = config.shape.vision.width;
  const std::string patch = std::to_string(config.shape.patch_size);
  for (const auto& [published, letter] : kWidths)
    if (width == published) return "ViT-" + std::string(letter) + "/" + patch;
  return "ViT of width " + std::to_string(width) + ", patches of " + patch;
}

std::string family_name(const Config& config, const std::string& origin) {
  constexpr std::int64_t kHighest = 2;  // Config's sign for the highest id
  const bool is_siglip = config.family == Family::siglip;
  std::string text = (is_siglip ? "SigLIP" : origin) + " " + tower_name(config);
  if (is_siglip) text += ", image pooling attention";
  text += ", text pooling ";
  if (config.text_pooling == TextPooling::last)
    text += "last";
  else
    text += config.eos_token_id == kHighest ? "argmax" : "eos";
  if (!config.is_text_causal) text += ", no causal mask";
  if (config.has_text_projection_bias && !is_siglip) text += ", text projection with a bias";
  return text;
}

}  // namespace petlab::clip
