// One model in every layout: the same weights, settings and vocabulary come out of each. The files
// are written by write_checkpoints.py with PyTorch, safetensors and transformers.
#include "petlab/base/error.hpp"
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

using ::testing::AllOf;
using ::testing::HasSubstr;

const std::filesystem::path& checkpoints() {
  static const std::filesystem::path written = [] {
    auto result = parity::fresh_folder("checkpoints");
    parity::run_reference("write_checkpoints.py",
                          {parity::small_tokenizer().string(), result.string()});
    return result;
  }();
  return written;
}

constexpr LoadOptions kAnyWeights{.allow_unknown_weights = true};

std::shared_ptr<Backbone> load(const std::string& model) {
  return Backbone::load(checkpoints() / model, c10::kCPU, kAnyWeights);
}

/// The message of the error that `action` must throw.
template <class Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

TEST(Checkpoints, EveryLayoutHoldsTheSameModel) {
  const auto reference = load("hugging-face");
  const std::string settings = model_settings_hash(checkpoints() / "hugging-face");
  for (const char* model :
       {"sharded", "open-clip", "openai", "openai/ViT-B-16.pt",
        "sharded/model.safetensors.index.json", "open-clip/open_clip_model.safetensors"}) {
    SCOPED_TRACE(model);
    const auto backbone = load(model);
    EXPECT_EQ(backbone->weight_hash(), reference->weight_hash());
    EXPECT_EQ(model_settings_hash(checkpoints() / model), settings);
    EXPECT_EQ(backbone->config().vision_activation, Activation::quick_gelu);
    EXPECT_EQ(model_preprocessing(checkpoints() / model).image_size, 32);
    const at::Tensor pixels = at::ones({1, 3, 32, 32});
    EXPECT_TRUE(at::equal(backbone->encode_image(pixels), reference->encode_image(pixels)));
  }
  // Without a configuration: GELU is what OpenCLIP takes then.
  const auto bare = load("open-clip-text");
  EXPECT_EQ(bare->weight_hash(), reference->weight_hash());
  EXPECT_EQ(bare->config().text_activation, Activation::gelu);
  EXPECT_NE(model_settings_hash(checkpoints() / "open-clip-text"), settings);

  const auto rounded = load("bf16");
  EXPECT_NE(rounded->weight_hash(), reference->weight_hash());
  for (std::size_t i = 0; i < reference->weights().size(); ++i)
    EXPECT_TRUE(at::equal(rounded->weights()[i].value,
                          reference->weights()[i].value.to(at::kBFloat16).to(at::kFloat)))
        << reference->weights()[i].name;
}

TEST(Checkpoints, AreDescribed) {
  const CheckpointInfo archive = inspect_checkpoint(checkpoints() / "openai");
  EXPECT_EQ(archive.format, "PyTorch archive with OpenAI's names");
  EXPECT_EQ(archive.sha256.size(), 64U);
  EXPECT_EQ(archive.published_as, "");
  EXPECT_EQ(archive.settings_source, "the shapes of the tensors");
  EXPECT_GT(archive.types.at("F16"), archive.types.at("F32"));
  EXPECT_EQ(archive.types.at("I64"), 3);
  const CheckpointInfo sharded = inspect_checkpoint(checkpoints() / "sharded");
  EXPECT_THAT(sharded.format, HasSubstr("Hugging Face's names in "));
  EXPECT_GT(sharded.files.size(), 2U);
  EXPECT_EQ(sharded.settings_source, "config.json");
}

TEST(Checkpoints, UnknownArchivesNeedPermission) {
  const auto file = checkpoints() / "openai" / "ViT-B-16.pt";
  EXPECT_THAT(error_of([&] { (void)Backbone::load(file); }),
              AllOf(HasSubstr(file.string()), HasSubstr(inspect_checkpoint(file).sha256),
                    HasSubstr("the published ViT-B/16 has "
                              "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"),
                    HasSubstr("--allow-unknown-weights")));
  const auto renamed = checkpoints() / "openai-renamed" / "mine.pt";
  std::filesystem::create_directories(renamed.parent_path());
  std::filesystem::copy_file(file, renamed);
  EXPECT_THAT(error_of([&] { (void)Backbone::load(renamed); }),
              AllOf(HasSubstr("40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"),
                    HasSubstr("(ViT-L/14@336px)")));
  // What is beside the archive is not in it.
  EXPECT_THAT(error_of([&] { (void)Backbone::load(renamed, c10::kCPU, kAnyWeights); }),
              AllOf(HasSubstr("holds no vocabulary"), HasSubstr("bpe_simple_vocab_16e6.txt.gz")));
}

TEST(Checkpoints, ADamagedArchiveIsRefused) {
  const auto whole = checkpoints() / "openai" / "ViT-B-16.pt";
  const auto damaged = checkpoints() / "openai-damaged" / "ViT-B-16.pt";
  std::filesystem::create_directories(damaged.parent_path());
  std::ifstream in(whole, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);
  std::ofstream(damaged, std::ios::binary) << bytes;
  EXPECT_THAT(error_of([&] { (void)Backbone::load(damaged, c10::kCPU, kAnyWeights); }),
              AllOf(HasSubstr(damaged.string()), HasSubstr("checksum")));
}

TEST(Checkpoints, BothSpellingsOfMergesAreRead) {
  const std::string expected = Tokenizer::load(parity::small_tokenizer()).hash();
  for (const char* name : {"tokenizer-json", "tokenizer-json-old"}) {
    const Tokenizer tokenizer = Tokenizer::load(checkpoints() / name);
    EXPECT_EQ(tokenizer.hash(), expected) << name;
    EXPECT_EQ(tokenizer.source(), "tokenizer.json");
  }
}

TEST(Configurations, ResolveAsInTransformers) {
  const auto all = nlohmann::json::parse(std::ifstream(checkpoints() / "configs.json"));
  ASSERT_GE(all.size(), 10U);
  for (std::size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE("configs/" + std::to_string(i));
    const nlohmann::json& expected = all[i];
    const Config config = read_config(checkpoints() / "configs" / std::to_string(i));
    const auto check_tower = [&](const std::string& name, const sdk::TowerShape& shape,
                                 Activation activation, double epsilon) {
      EXPECT_EQ(shape.width, expected[name + ".hidden_size"]);
      EXPECT_EQ(shape.layers, expected[name + ".num_hidden_layers"]);
      EXPECT_EQ(shape.heads, expected[name + ".num_attention_heads"]);
      EXPECT_EQ(shape.mlp_width, expected[name + ".intermediate_size"]);
      EXPECT_EQ(activation == Activation::gelu ? "gelu" : "quick_gelu",
                expected[name + ".hidden_act"]);
      EXPECT_EQ(epsilon, expected[name + ".layer_norm_eps"]);
    };
    check_tower("text", config.shape.text, config.text_activation, config.text_layer_norm_eps);
    check_tower("vision", config.shape.vision, config.vision_activation,
                config.vision_layer_norm_eps);
    EXPECT_EQ(config.shape.embed_dim, expected["projection_dim"]);
    EXPECT_EQ(config.initial_logit_scale, expected["logit_scale_init_value"]);
    EXPECT_EQ(config.shape.context_length, expected["max_position_embeddings"]);
    EXPECT_EQ(config.vocab_size, expected["vocab_size"]);
    EXPECT_EQ(config.eos_token_id, expected["eos_token_id"]);
    EXPECT_EQ(config.bos_token_id, expected["bos_token_id"]);
    EXPECT_EQ(config.shape.image_size, expected["image_size"]);
    EXPECT_EQ(config.shape.patch_size, expected["patch_size"]);
  }
}

}  // namespace
}  // namespace petlab::clip
