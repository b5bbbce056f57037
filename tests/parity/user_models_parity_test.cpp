// Configurations of OpenCLIP and tokenizers with added tokens against the libraries that write them
// (write_user_models.py).
#include "petlab/base/error.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/checkpoint.hpp"
#include "petlab/clip/safetensors.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>

namespace petlab::clip {
namespace {

using nlohmann::json;

const std::filesystem::path& user_models() {
  static const std::filesystem::path written = [] {
    auto result = parity::fresh_folder("user-models");
    parity::run_reference("write_user_models.py",
                          {parity::small_tokenizer().string(), result.string()});
    return result;
  }();
  return written;
}

double distance(const at::Tensor& ours, const json& theirs) {
  std::vector<float> numbers;
  for (const json& row : theirs)
    for (const json& value : row)
      numbers.push_back(value.get<float>());
  return (ours - at::tensor(numbers).view(ours.sizes())).abs().max().item<double>();
}

TEST(OpenClip, FeaturesAreThoseOfItsOwnCode) {
  for (const char* name : {"gelu", "quick", "epoch", "eos", "short", "long", "last", "unmasked",
                           "both", "bias", "scale", "tanh"}) {
    SCOPED_TRACE(name);
    const auto model = user_models() / name;
    const auto backbone = Backbone::load(model, c10::kCPU, {.allow_unknown_weights = true});
    const json expected = json::parse(std::ifstream(model / "features.json"));
    const at::Tensor pixels = at::sin(at::arange(3 * 32 * 32, at::kFloat)).view({1, 3, 32, 32});
    EXPECT_LT(distance(backbone->encode_image(pixels), expected["image_features"]), 1e-5);
    EXPECT_LT(distance(backbone->text_features(expected["texts"].get<std::vector<std::string>>()),
                       expected["text_features"]),
              1e-5);
    const std::int64_t width = backbone->shape().text.width;
    sdk::TowerChanges changes;
    changes.prompts.push_back({0, at::sin(at::arange(2 * width, at::kFloat)).view({2, width})});
    const TokenBatch tokens = backbone->tokenizer().encode_batch(
        expected["texts"].get<std::vector<std::string>>(), backbone->shape().context_length);
    EXPECT_LT(distance(backbone->encode_text(
                           tokens, stack_changes({{&changes}}, backbone->shape().text.layers, {})),
                       expected["prompted_features"]),
              1e-5);
    EXPECT_EQ(backbone->preprocessing().std[2], 1.0);
    EXPECT_EQ(inspect_checkpoint(model).settings_source, "open_clip_config.json");
  }
  EXPECT_EQ(inspect_checkpoint(user_models() / "epoch").stripped, "state_dict.module.");
}

/// What petlab says of a configuration: the family that it takes, or the one that it refuses.
std::string family_of(const std::string& name, const json& configuration) {
  const auto model = parity::fresh_folder("configurations") / name;
  std::filesystem::create_directories(model);
  std::ofstream(model / "open_clip_config.json") << json{{"model_cfg", configuration}};
  const at::Tensor none = at::zeros({1});
  write_safetensors({{"visual.conv1.weight", none},
                     {"visual.class_embedding", none},
                     {"visual.transformer.resblocks.0.ls_1.gamma", none},
                     {"token_embedding.weight", none}},
                    model / "open_clip_model.safetensors");
  try {
    return inspect_checkpoint(model).family;
  } catch (const base::Error& error) {
    const std::string what = error.what();
    const std::string sign = "the family is ";
    const std::size_t at = what.find(sign);
    if (at == std::string::npos) return what;
    const std::size_t begin = at + sign.size();
    return "refused: " + what.substr(begin, what.find_first_of(",;(", begin) - begin);
  }
}

TEST(OpenClip, EachOfItsConfigurationsIsTakenOrRefusedByItsFamily) {
  const json all = json::parse(std::ifstream(user_models() / "configurations.json"));
  std::map<std::string, int> refused;
  std::map<std::string, std::string> taken;
  for (const auto& [name, configuration] : all.items()) {
    const std::string family = family_of(name, configuration);
    if (family.starts_with("OpenCLIP ViT-"))
      taken[name] = family;
    else
      ++refused[family];
  }
  EXPECT_EQ(all.size(), 144U);
  // The table of harness/clip/README.md.
  const std::map<std::string, int> expected{
      {"refused: CLIP with a ResNet ", 10},
      {"refused: CLIP with a text tower of Hugging Face", 9},
      {"refused: CLIPA", 6},
      {"refused: CoCa", 4},
      {"refused: ConvNeXt CLIP ", 11},
      {"refused: EVA ", 2},
      {"refused: EVA-02 ", 5},
      {"refused: MetaCLIP worldwide", 7},
      {"refused: MobileCLIP ", 8},
      {"refused: Perception Encoder ", 5},
      {"refused: SigLIP in timm's layout", 26},
      {"refused: Swin CLIP ", 1},
      {"refused: ViTamin ", 15},
      {"refused: a ViT of timm ", 3},
  };
  EXPECT_EQ(refused, expected);
  EXPECT_EQ(taken.size(), 32U);
  EXPECT_EQ(taken["ViT-B-16"], "OpenCLIP ViT-B/16, text pooling argmax");
  EXPECT_EQ(taken["ViT-B-16-plus"], "OpenCLIP ViT-B-plus/16, text pooling argmax");
  EXPECT_EQ(taken["ViT-M-16-alt"], "OpenCLIP ViT-M/16, text pooling argmax");
  EXPECT_EQ(taken["ViT-H-14-378-quickgelu"], "OpenCLIP ViT-H/14, text pooling argmax");
}

TEST(Tokens, OfAddedTokensAreTheReferences) {
  for (int i = 0; i < 3; ++i) {
    const auto from = user_models() / ("tokens-" + std::to_string(i));
    // The same from the older files, beside which tokenizer.json says what was added.
    const auto pair = user_models() / ("pair-" + std::to_string(i));
    std::filesystem::create_directories(pair);
    std::filesystem::copy_file(from / "tokenizer.json", pair / "tokenizer.json");
    for (const char* name : {"vocab.json", "merges.txt"})
      std::filesystem::copy_file(parity::small_tokenizer() / name, pair / name);
    for (const auto& where : {from, pair}) {
      const Tokenizer tokenizer = Tokenizer::load(where);
      for (const json& one : json::parse(std::ifstream(from / "tokens.json"))) {
        const auto text = one["text"].get<std::string>();
        std::vector<std::int64_t> ids = tokenizer.encode(text);
        ids.insert(ids.begin(), tokenizer.start_token());
        ids.push_back(tokenizer.end_token());
        EXPECT_EQ(ids, one["ids"].get<std::vector<std::int64_t>>()) << i << ": " << text;
      }
    }
  }
}

}  // namespace
}  // namespace petlab::clip
