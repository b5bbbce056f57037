// SigLIP and SigLIP 2 against transformers: towers, prompts, tokens, and the layout written again
// (write_siglip.py; the models are small and have seeded random weights).
#include "difference.hpp"
#include "petlab/base/error.hpp"
#include "petlab/clip/backbone.hpp"
#include "petlab/clip/checkpoint.hpp"
#include "petlab/clip/safetensors.hpp"
#include "reference.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <torch/csrc/autograd/autograd.h>

#include <fstream>
#include <map>

namespace petlab::clip {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

using parity::difference;
using parity::kTolerance;

const fs::path& siglip_models() {
  static const fs::path written = [] {
    auto result = parity::fresh_folder("siglip");
    parity::run_reference("write_siglip.py", {result.string()});
    return result;
  }();
  return written;
}

json read_json(const fs::path& file) {
  return json::parse(std::ifstream(file));
}

std::map<std::string, at::Tensor> expected_of(const fs::path& model) {
  std::map<std::string, at::Tensor> expected;
  for (sdk::NamedTensor& tensor : read_safetensors(model / "expected.safetensors"))
    expected.emplace(tensor.name, tensor.value);
  return expected;
}

TokenBatch tokens_of(const Backbone& backbone, const fs::path& model) {
  return backbone.tokenizer().encode_batch(
      read_json(model / "texts.json").get<std::vector<std::string>>(),
      backbone.shape().context_length);
}

std::string load_error(const fs::path& model) {
  try {
    (void)Backbone::load(model);
  } catch (const base::Error& error) {
    return error.what();
  }
  return "";
}

class Siglip : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    model_ = siglip_models() / GetParam();
    backbone_ = Backbone::load(model_);
    expected_ = expected_of(model_);
    tokens_ = tokens_of(*backbone_, model_);
  }

  [[nodiscard]] const at::Tensor& expected(const std::string& name) const {
    return expected_.at(name);
  }

  fs::path model_;
  std::shared_ptr<Backbone> backbone_;
  std::map<std::string, at::Tensor> expected_;
  TokenBatch tokens_;
};

TEST_P(Siglip, FeaturesAndScoresAreTheReferences) {
  const at::Tensor images = backbone_->encode_image(expected("pixels"));
  const at::Tensor texts = backbone_->encode_text(tokens_);
  EXPECT_LE(difference(images, expected("image_features")), kTolerance);
  EXPECT_LE(difference(texts, expected("text_features")), kTolerance);
  // The bias is the same for all classes.
  EXPECT_NEAR(backbone_->config().logit_bias, -7.5, 1e-6);
  EXPECT_LE(difference(similarity_logits(images, texts, backbone_->logit_scale()) +
                           backbone_->config().logit_bias,
                       expected("logits")),
            kTolerance);
  // One text by itself is padded as in company.
  EXPECT_LE(difference(backbone_->text_features({"mug"})[0], expected("text_features")[1]),
            kTolerance);
  // A text tower in chunks, and an image tower in two halves.
  TowerBatch chunks;
  const at::Tensor prompt = at::zeros({1, backbone_->shape().text.width}).set_requires_grad(true);
  sdk::TowerChanges changes;
  changes.prompts.push_back({0, prompt});
  chunks = stack_changes({{&changes}}, backbone_->shape().text.layers, {});
  const at::Tensor whole = backbone_->encode_text(tokens_, chunks);
  chunks.text_budget = 1;
  EXPECT_LE(difference(backbone_->encode_text(tokens_, chunks), whole), kTolerance);
  const at::Tensor below = backbone_->encode_image_below(expected("pixels"), 2);
  EXPECT_LE(difference(backbone_->encode_image_above(below, 2, {}), images), kTolerance);
}

TEST_P(Siglip, PromptsAndTheirGradientsAreTheReferences) {
  for (const char* name :
       {"text_shallow", "text_deep", "text_late", "vision_shallow", "vision_deep", "vision_late"}) {
    SCOPED_TRACE(name);
    const bool is_text = std::string_view(name).starts_with("text");
    std::map<std::int64_t, at::Tensor> leaves;
    sdk::TowerChanges changes;
    for (const auto& [key, value] : expected_)
      if (const std::string prefix = std::string(name) + ".prompt."; key.starts_with(prefix)) {
        const std::int64_t layer = std::stoll(key.substr(prefix.size()));
        leaves[layer] = value.clone().set_requires_grad(true);
        changes.prompts.push_back({layer, leaves[layer]});
      }
    ASSERT_FALSE(leaves.empty());
    const sdk::TowerShape& shape = is_text ? backbone_->shape().text : backbone_->shape().vision;
    const TowerBatch batch = stack_changes({{&changes}}, shape.layers, {});
    const at::Tensor features = is_text ? backbone_->encode_text(tokens_, batch)
                                        : backbone_->encode_image(expected("pixels"), batch);
    EXPECT_LE(difference(features, expected(std::string(name) + ".features")), kTolerance);
    const at::Tensor loss = (features * expected("weighting").narrow(0, 0, features.size(0))).sum();
    for (const auto& [layer, leaf] : leaves) {
      const at::Tensor gradient =
          torch::autograd::grad({loss}, {leaf}, {}, /*retain_graph=*/true)[0];
      EXPECT_LE(
          difference(gradient, expected(std::string(name) + ".gradient." + std::to_string(layer))),
          5 * kTolerance)
          << layer;
    }
  }
}

TEST_P(Siglip, TokensAreTheReferences) {
  for (const json& one : read_json(model_ / "tokens.json")) {
    const auto text = one["text"].get<std::string>();
    std::vector<std::int64_t> ids = backbone_->tokenizer().encode(text);
    ids.push_back(backbone_->tokenizer().end_token());
    EXPECT_EQ(ids, one["ids"].get<std::vector<std::int64_t>>()) << text;
  }
  // Over-long texts keep their end token; the reference's are padded to the context length.
  const at::Tensor ids = expected("ids");
  for (std::int64_t row = 0; row < ids.size(0); ++row) {
    const std::int64_t length = tokens_.eot[row].item<std::int64_t>() + 1;
    EXPECT_TRUE(at::equal(tokens_.ids[row].narrow(0, 0, length), ids[row].narrow(0, 0, length)));
    EXPECT_TRUE((ids[row].slice(0, length) == backbone_->config().pad_token_id).all().item<bool>());
  }
  EXPECT_FALSE(backbone_->tokenizer().has_start_token());
  EXPECT_EQ(backbone_->tokenizer().n_marks(), 1);
}

TEST_P(Siglip, IsWrittenAndReadAgain) {
  const fs::path again = parity::fresh_folder("siglip-again");
  backbone_->save(again, model_, at::kFloat);
  const auto read = Backbone::load(again);
  EXPECT_EQ(read->weight_hash(), backbone_->weight_hash());
  EXPECT_EQ(read->settings_hash(), backbone_->settings_hash());
  EXPECT_EQ(model_settings_hash(again), backbone_->settings_hash());
  EXPECT_EQ(read->config().logit_bias, backbone_->config().logit_bias);
}

TEST_P(Siglip, SaysWhatItIs) {
  EXPECT_THAT(inspect_checkpoint(model_).family,
              AllOf(HasSubstr("SigLIP"), HasSubstr("image pooling attention"),
                    HasSubstr("text pooling last")));
  EXPECT_EQ(backbone_->preprocessing().fit.shape, base::SquareFit::Shape::squash);
  EXPECT_EQ(backbone_->preprocessing().fit.filter, base::SquareFit::Filter::bilinear);
}

INSTANTIATE_TEST_SUITE_P(Models, Siglip, ::testing::Values("siglip", "siglip2", "odd"));

TEST(SiglipRefusals, NameTheFileAndWhatIsWrong) {
  const fs::path model = parity::fresh_folder("siglip-refused");
  const auto fresh = [&](const char* from) {
    fs::remove_all(model);
    fs::copy(siglip_models() / from, model);
  };
  const auto change = [&](const char* file, const std::string& pointer, const json& value) {
    json content = read_json(model / file);
    content[json::json_pointer(pointer)] = value;
    std::ofstream(model / file) << content;
  };
  fresh("siglip");
  change("config.json", "/model_type", "siglip2");
  EXPECT_THAT(load_error(model), AllOf(HasSubstr("config.json"), HasSubstr("NaFlex")));
  fresh("siglip");
  change("config.json", "/vision_config/vision_use_head", false);
  EXPECT_THAT(load_error(model), HasSubstr("'vision_config.vision_use_head' is false"));
  fresh("siglip");
  change("config.json", "/text_config/projection_size", 32);
  EXPECT_THAT(load_error(model),
              HasSubstr("projection_size' is 32, expected the width of the image"));
  fresh("siglip");
  change("preprocessor_config.json", "/do_center_crop", true);
  EXPECT_THAT(load_error(model), HasSubstr("'do_center_crop' is true"));
  change("preprocessor_config.json", "/do_center_crop", false);
  change("preprocessor_config.json", "/resample", 1);
  EXPECT_THAT(load_error(model), HasSubstr("'resample' is neither 2 (bilinear) nor 3 (bicubic)"));
  fresh("siglip");
  change("tokenizer_config.json", "/padding_side", "left");
  EXPECT_THAT(load_error(model), HasSubstr("'padding_side' is 'left', expected 'right'"));
  fresh("siglip");
  std::ofstream(model / "spiece.model") << "no model";
  EXPECT_THAT(load_error(model), AllOf(HasSubstr("spiece.model"), HasSubstr("no vocabulary")));
  fresh("siglip");
  fs::remove(model / "spiece.model");
  EXPECT_THAT(load_error(model),
              HasSubstr("expected spiece.model, or tokenizer.json of a SigLIP 2"));
  fresh("siglip2");
  change("tokenizer.json", "/model/byte_fallback", false);
  EXPECT_THAT(load_error(model), HasSubstr("byte_fallback' is not true"));
  fresh("siglip2");
  change("tokenizer.json", "/model/merges/3", {"nobody", "knows"});
  EXPECT_THAT(load_error(model), HasSubstr("entry 4: its tokens"));
  fresh("siglip2");
  change("tokenizer.json", "/normalizer", {{"type", "NFC"}});
  EXPECT_THAT(load_error(model), HasSubstr("'normalizer' is not that of a SigLIP 2"));
  fresh("siglip");
  std::vector<sdk::NamedTensor> tensors = read_safetensors(model / "model.safetensors");
  std::erase_if(tensors, [](const auto& one) { return one.name == "logit_bias"; });
  write_safetensors(tensors, model / "model.safetensors");
  EXPECT_THAT(load_error(model), HasSubstr("lacks the tensor 'logit_bias'"));
  // Texts and prompts must fit together.
  const auto backbone = Backbone::load(siglip_models() / "siglip");
  sdk::TowerChanges changes;
  changes.prompts.push_back({0, at::zeros({47, backbone->shape().text.width})});
  try {
    (void)backbone->encode_text(tokens_of(*backbone, siglip_models() / "siglip"),
                                stack_changes({{&changes}}, 3, {}));
    ADD_FAILURE() << "too many prompts were taken";
  } catch (const base::Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("do not fit the context of 48 positions"));
  }
}

}  // namespace
}  // namespace petlab::clip
