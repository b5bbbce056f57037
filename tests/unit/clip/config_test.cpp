#include "petlab/clip/config.hpp"

#include "model_fixture.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace petlab::clip {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

struct ChangedKey {
  const char* name;
  const char* pointer;  ///< JSON pointer of what is changed
  json value;           ///< discarded: the key is removed
  const char* message;
};

void check_table(const std::filesystem::path& file, const std::vector<ChangedKey>& cases,
                 const std::function<void()>& read) {
  const json good = json::parse(test::read_file(file));
  for (const ChangedKey& one : cases) {
    SCOPED_TRACE(one.name);
    json bad = good;
    const json::json_pointer place(one.pointer);
    if (one.value.is_discarded())
      bad.at(place.parent_pointer()).erase(place.back());
    else
      bad[place] = one.value;
    test::write_file(file, bad.dump());
    EXPECT_THAT(test::error_of(read), AllOf(HasSubstr(one.message), HasSubstr(file.string())));
  }
}

const json kRemoved = json::parse("", nullptr, /*allow_exceptions=*/false);

TEST(Config, ErrorsNameFileAndKey) {
  const test::TemporaryFolder folder;
  write_config(test::small_config(), folder.path());
  check_table(
      folder.path() / "config.json",
      {
          {"no model type", "/model_type", kRemoved, "no key 'model_type'"},
          {"another model", "/model_type", "blip",
           "'model_type' is 'blip', expected 'clip' or 'siglip'"},
          {"vision is a list", "/vision_config", json::array(), "'vision_config' is not an object"},
          {"width is null", "/vision_config/hidden_size", nullptr,
           "'vision_config.hidden_size' is null, expected an integer"},
          {"oblong image",
           "/vision_config/image_size",
           {224, 240},
           "'vision_config.image_size' is not a size or two equal sizes"},
          {"list of end tokens",
           "/text_config/eos_token_id",
           {2, 3},
           "'text_config.eos_token_id' is [2,3], expected an integer"},
          {"older section",
           "/text_config_dict",
           {{"hidden_size", 0}},
           "'text_config_dict.hidden_size' is 0, expected an integer from 1"},
          {"width is a text", "/text_config/hidden_size", "24",
           "'text_config.hidden_size' is \"24\", expected an integer"},
          {"width is zero", "/text_config/hidden_size", 0, "expected an integer from 1"},
          {"width is negative", "/text_config/hidden_size", -24, "expected an integer from 1"},
          {"width is huge", "/text_config/hidden_size", 18446744073709551615U,
           "expected an integer from 1"},
          {"width is real", "/text_config/hidden_size", 24.5, "expected an integer"},
          {"heads do not divide", "/text_config/num_attention_heads", 5,
           "expected a multiple of num_attention_heads, 5"},
          {"activation", "/vision_config/hidden_act", "relu",
           "'vision_config.hidden_act' is 'relu', expected quick_gelu, gelu or gelu_pytorch_tanh"},
          {"epsilon", "/vision_config/layer_norm_eps", "small", "expected a number"},
          {"patch", "/vision_config/patch_size", 17, "is greater than image_size"},
          {"channels", "/vision_config/num_channels", 1, "'vision_config.num_channels' is not 3"},
          {"projection", "/projection_dim", nullptr, "'projection_dim' is null"},
          {"end token", "/text_config/eos_token_id", 560, "expected an integer from 0 to 559"},
      },
      [&] { (void)read_config(folder.path()); });
}

TEST(Config, ErrorsOfTheFileItself) {
  const test::TemporaryFolder folder;
  const auto read = [&] { (void)read_config(folder.path()); };
  EXPECT_THAT(test::error_of(read), HasSubstr("cannot read"));
  test::write_file(folder.path() / "config.json", "{\"a\": ");
  EXPECT_THAT(test::error_of(read), HasSubstr("not valid JSON at byte"));
  test::write_file(folder.path() / "config.json", "[]");
  EXPECT_THAT(test::error_of(read), HasSubstr("not a JSON object"));
  // Values are copied and printed by recursion.
  const std::string deep(200'000, '[');
  test::write_file(folder.path() / "config.json", R"({"model_type": "clip", "projection_dim": )" +
                                                      deep + std::string(deep.size(), ']') + "}");
  EXPECT_THAT(test::error_of(read), HasSubstr("nests deeper than 100 levels"));
}

TEST(Config, WritesWhatItReads) {
  const test::TemporaryFolder folder;
  Config config = test::small_config();
  config.vision_activation = Activation::gelu;
  config.text_layer_norm_eps = 1e-6;
  config.initial_logit_scale = 3.0;
  write_config(config, folder.path());
  const Config read = read_config(folder.path());
  EXPECT_EQ(read.shape.vision.width, 32);
  EXPECT_EQ(read.shape.vision.layers, 3);
  EXPECT_EQ(read.shape.text.heads, 3);
  EXPECT_EQ(read.shape.text.mlp_width, 48);
  EXPECT_EQ(read.shape.embed_dim, 16);
  EXPECT_EQ(read.shape.image_size, 16);
  EXPECT_EQ(read.shape.patch_size, 8);
  EXPECT_EQ(read.shape.context_length, 20);
  EXPECT_EQ(read.vocab_size, 560);
  EXPECT_EQ(read.eos_token_id, 559);
  EXPECT_EQ(read.vision_activation, Activation::gelu);
  EXPECT_EQ(read.text_activation, Activation::quick_gelu);
  EXPECT_EQ(read.text_layer_norm_eps, 1e-6);
  EXPECT_EQ(read.initial_logit_scale, 3.0);
}

// What transformers' CLIPConfig does with these is compared in tests/parity.
TEST(Config, MissingKeysHaveTransformersDefaults) {
  const test::TemporaryFolder folder;
  const auto read = [&](const json& content) {
    test::write_file(folder.path() / "config.json", content.dump());
    return read_config(folder.path());
  };
  const Config plain = read({{"model_type", "clip"}});
  EXPECT_EQ(plain.shape.vision.width, 768);
  EXPECT_EQ(plain.shape.vision.mlp_width, 3072);
  EXPECT_EQ(plain.shape.vision.layers, 12);
  EXPECT_EQ(plain.shape.vision.heads, 12);
  EXPECT_EQ(plain.shape.text.width, 512);
  EXPECT_EQ(plain.shape.text.mlp_width, 2048);
  EXPECT_EQ(plain.shape.text.layers, 12);
  EXPECT_EQ(plain.shape.text.heads, 8);
  EXPECT_EQ(plain.shape.embed_dim, 512);
  EXPECT_EQ(plain.shape.image_size, 224);
  EXPECT_EQ(plain.shape.patch_size, 32);
  EXPECT_EQ(plain.shape.context_length, 77);
  EXPECT_EQ(plain.vocab_size, 49408);
  EXPECT_EQ(plain.eos_token_id, 49407);
  EXPECT_EQ(plain.vision_activation, Activation::quick_gelu);
  EXPECT_EQ(plain.text_layer_norm_eps, 1e-5);

  // openai/clip-vit-large-patch14 has both spellings; the older one takes the other's place.
  const Config large =
      read({{"model_type", "clip"},
            {"projection_dim", 768},
            {"text_config", {{"hidden_size", 640}, {"eos_token_id", 2}}},
            {"text_config_dict", {{"hidden_size", 768}, {"num_attention_heads", 12}}},
            {"vision_config", {{"patch_size", {14, 14}}, {"hidden_act", "gelu"}}},
            {"vision_config_dict", nullptr}});
  EXPECT_EQ(large.shape.text.width, 768);
  EXPECT_EQ(large.shape.text.heads, 12);
  EXPECT_EQ(large.eos_token_id, 49407);
  EXPECT_EQ(large.shape.patch_size, 14);
  EXPECT_EQ(large.vision_activation, Activation::gelu);
  EXPECT_EQ(large.text_activation, Activation::quick_gelu);
}

TEST(Preprocessing, ErrorsNameFileAndKey) {
  const test::TemporaryFolder folder;
  write_preprocessing(Preprocessing{.image_size = 48}, folder.path());
  check_table(
      folder.path() / "preprocessor_config.json",
      {
          {"default crop", "/crop_size", kRemoved, "'size' is 48, which differs from crop_size"},
          {"oblong", "/crop_size/width", 40, "'crop_size' is not square"},
          {"other size", "/size/shortest_edge", 64, "'size' is 64, which differs from crop_size"},
          {"squashed", "/size", {{"height", 48}, {"width", 48}}, "resized to a height and a width"},
          {"two edges", "/size/longest_edge", 64, "'size' has a longest_edge"},
          {"size is a text", "/size", "48", "expected an integer"},
          {"two means", "/image_mean", {0.5, 0.5}, "not a list of three numbers"},
          {"text mean", "/image_mean/1", "x", "not a list of three numbers"},
          {"zero std", "/image_std/2", 0.0, "'image_std' holds a value"},
          {"no crop", "/do_center_crop", false, "'do_center_crop' is false, expected true"},
          {"nearest", "/resample", 0, "'resample' is neither 2 (bilinear) nor 3 (bicubic)"},
          {"other range", "/rescale_factor", 1.0, "'rescale_factor' is not 1/255"},
          {"other processor", "/image_processor_type", "ViTImageProcessor",
           "'image_processor_type' is 'ViTImageProcessor', expected CLIPImageProcessor"},
      },
      [&] { (void)read_preprocessing(folder.path()); });
}

TEST(Preprocessing, ReadsEverySpellingOfTheSize) {
  const test::TemporaryFolder folder;
  const auto file = folder.path() / "preprocessor_config.json";
  const auto size_of = [&](const json& size, const json& crop) {
    test::write_file(file, json{{"size", size}, {"crop_size", crop}}.dump());
    return read_preprocessing(folder.path()).image_size;
  };
  const json square{{"height", 336}, {"width", 336}};
  EXPECT_EQ(size_of(336, 336), 336);
  EXPECT_EQ(size_of({{"shortest_edge", 336}}, 336), 336);
  EXPECT_EQ(size_of({{"shortest_edge", 336}}, square), 336);
  EXPECT_EQ(size_of(336, square), 336);
  EXPECT_EQ(size_of(336, {336, 336}), 336);
}

TEST(Preprocessing, MissingKeysHaveTransformersDefaults) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(test::error_of([&] { (void)read_preprocessing(folder.path()); }),
              AllOf(HasSubstr("cannot read"), HasSubstr("preprocessor_config.json")));
  test::write_file(folder.path() / "preprocessor_config.json",
                   R"({"feature_extractor_type": "CLIPFeatureExtractor"})");
  const Preprocessing plain = read_preprocessing(folder.path());
  EXPECT_EQ(plain.image_size, 224);
  EXPECT_EQ(plain.mean, Preprocessing{}.mean);
  EXPECT_EQ(plain.std, Preprocessing{}.std);
}

TEST(Preprocessing, ReadsTheJointFileOfTransformers5) {
  const test::TemporaryFolder folder;
  test::write_file(folder.path() / "processor_config.json",
                   R"({"image_processor": {"size": {"shortest_edge": 48}, "crop_size": 48,
                       "image_mean": [0.5, 0.4, 0.3], "image_std": [0.1, 0.2, 0.3]}})");
  const Preprocessing read = read_preprocessing(folder.path());
  EXPECT_EQ(read.image_size, 48);
  EXPECT_EQ(read.mean[2], 0.3);
  // The file of its own comes first.
  write_preprocessing(Preprocessing{.image_size = 32}, folder.path());
  EXPECT_EQ(read_preprocessing(folder.path()).image_size, 32);
}

TEST(Preprocessing, NormalisesPixels) {
  const Preprocessing how{.image_size = 2, .mean = {0.5, 0.25, 0.0}, .std = {0.5, 0.25, 2.0}};
  const at::Tensor images = at::full({1, 3, 2, 2}, 255, at::kByte);
  const at::Tensor pixels = normalise_pixels(images, how);
  EXPECT_EQ(pixels.scalar_type(), at::kFloat);
  EXPECT_NEAR(pixels[0][0][0][0].item<float>(), 1.0F, 1e-6);
  EXPECT_NEAR(pixels[0][1][1][0].item<float>(), 3.0F, 1e-6);
  EXPECT_NEAR(pixels[0][2][0][1].item<float>(), 0.5F, 1e-6);
}

}  // namespace
}  // namespace petlab::clip
