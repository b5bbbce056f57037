// Configurations of OpenCLIP and tokenizers with added tokens against the libraries that write them
// (write_user_models.py).
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/checkpoint.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace petlab::clip {
namespace {

using nlohmann::json;

const std::filesystem::path& folder() {
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
  for (const char* name : {"gelu", "quick", "epoch", "eos", "short", "long"}) {
    SCOPED_TRACE(name);
    const auto model = folder() / name;
    const auto backbone = Backbone::load(model, c10::kCPU, {.allow_unknown_weights = true});
    const json expected = json::parse(std::ifstream(model / "features.json"));
    const at::Tensor pixels = at::sin(at::arange(3 * 32 * 32, at::kFloat)).view({1, 3, 32, 32});
    EXPECT_LT(distance(backbone->encode_image(pixels), expected["image_features"]), 1e-5);
    EXPECT_LT(distance(backbone->text_features(expected["texts"].get<std::vector<std::string>>()),
                       expected["text_features"]),
              1e-5);
    EXPECT_EQ(backbone->preprocessing().std[2], 1.0);
    EXPECT_EQ(inspect_checkpoint(model).settings_source, "open_clip_config.json");
  }
  EXPECT_EQ(inspect_checkpoint(folder() / "epoch").stripped, "state_dict.module.");
}

TEST(Tokens, OfAddedTokensAreTheReferences) {
  for (int i = 0; i < 3; ++i) {
    const auto from = folder() / ("tokens-" + std::to_string(i));
    // The same from the older files, beside which tokenizer.json says what was added.
    const auto pair = folder() / ("pair-" + std::to_string(i));
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
