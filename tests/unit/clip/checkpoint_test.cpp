// Where the weights of a model are found, and what is wrong with those that are not.
#include "petlab/clip/checkpoint.hpp"

#include "checkpoint_names.hpp"
#include "model_fixture.hpp"
#include "open_clip_fixture.hpp"
#include "petlab/clip/safetensors.hpp"
#include "weights.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace petlab::clip {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A model directory of the small backbone in two shards with their index.
json write_shards(const std::filesystem::path& folder) {
  const auto backbone = test::small_backbone();
  backbone->save(folder, test::tokenizer_folder(), at::kHalf);
  std::filesystem::remove(folder / "model.safetensors");
  std::vector<sdk::NamedTensor> parts[2];
  json map;
  std::size_t i = 0;
  for (const sdk::NamedTensor& weight : backbone->weights()) {
    const std::size_t part = i++ % 2;
    parts[part].push_back({weight.name, weight.value.to(at::kHalf)});
    map[weight.name] = part == 0 ? "one.safetensors" : "two.safetensors";
  }
  write_safetensors(parts[0], folder / "one.safetensors");
  write_safetensors(parts[1], folder / "two.safetensors");
  test::write_file(folder / "model.safetensors.index.json", json{{"weight_map", map}}.dump());
  return map;
}

TEST(Checkpoint, SaysWhatItLookedFor) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(test::load_error(folder.path() / "none"), HasSubstr("there is no model"));
  EXPECT_THAT(test::load_error(folder.path()),
              AllOf(HasSubstr("holds no weights of a CLIP"), HasSubstr("model.safetensors")));
  test::write_file(folder.path() / "pytorch_model.bin", "");
  EXPECT_THAT(test::load_error(folder.path()), HasSubstr("converted to safetensors"));
  EXPECT_THAT(test::load_error(folder.path() / "pytorch_model.bin"),
              HasSubstr("is neither a model"));
  test::write_file(folder.path() / "a.pt", "");
  test::write_file(folder.path() / "b.pt", "");
  EXPECT_THAT(test::load_error(folder.path()), HasSubstr("holds 2 files *.pt"));
  const auto wrong_file = [&](const std::string& content) {
    test::write_file(folder.path() / "c.pt", content);
    return test::error_of([&] { (void)inspect_checkpoint(folder.path() / "c.pt"); });
  };
  EXPECT_THAT(wrong_file(""), HasSubstr("damaged or no PyTorch file"));
  EXPECT_THAT(wrong_file("no archive at all, but long enough to be"), HasSubstr("damaged or no"));
}

TEST(Checkpoint, ShardsAreCheckedAgainstTheirIndex) {
  const test::TemporaryFolder folder;
  const json map = write_shards(folder.path());
  const auto index = folder.path() / "model.safetensors.index.json";
  const auto with = [&](const json& changed) {
    test::write_file(index, json{{"weight_map", changed}}.dump());
    return test::load_error(folder.path());
  };
  const auto loaded = Backbone::load(folder.path());
  EXPECT_EQ(Backbone::load(index)->weight_hash(), loaded->weight_hash());
  EXPECT_EQ(inspect_checkpoint(folder.path()).files.size(), 2U);

  json changed = map;
  changed["logit_scale"] = "three.safetensors";
  EXPECT_THAT(with(changed), AllOf(HasSubstr("three.safetensors"), HasSubstr("cannot be read")));
  changed["logit_scale"] =
      map["logit_scale"] == "one.safetensors" ? "two.safetensors" : "one.safetensors";
  EXPECT_THAT(with(changed), HasSubstr("says that the tensor 'logit_scale' is in '"));
  for (const char* outside : {"../one.safetensors", "/etc/passwd", "..", ""}) {
    changed["logit_scale"] = outside;
    EXPECT_THAT(with(changed), AllOf(HasSubstr("'weight_map.logit_scale'"),
                                     HasSubstr("the name of a file beside the index")));
  }
  changed["logit_scale"] = 1;
  EXPECT_THAT(with(changed), HasSubstr("'weight_map.logit_scale' is 1, expected a text"));
  EXPECT_THAT(with(json::object()), HasSubstr("'weight_map' is empty"));
  test::write_file(index, "{}");
  EXPECT_THAT(test::load_error(folder.path()), HasSubstr("no key 'weight_map'"));

  // A tensor that is in two shards.
  std::vector<sdk::NamedTensor> more = read_safetensors(folder.path() / "two.safetensors");
  more.push_back({"logit_scale", at::zeros({})});
  more.push_back({"text_projection.weight", at::zeros({16, 24})});
  std::set<std::string> names;
  std::erase_if(more, [&](const auto& t) { return !names.insert(t.name).second; });
  write_safetensors(more, folder.path() / "two.safetensors");
  EXPECT_THAT(with(map), HasSubstr("which another file of the model holds, too"));
}

TEST(Checkpoint, ChecksBeforeItAllocates) {
  // A configuration that asks for terabytes fails at the first tensor that is not of them.
  const test::TemporaryFolder folder;
  test::small_backbone()->save(folder.path(), test::tokenizer_folder(), at::kFloat);
  json config = json::parse(test::read_file(folder.path() / "config.json"));
  config["vision_config"]["hidden_size"] = 1 << 20;
  config["vision_config"]["intermediate_size"] = 1 << 20;
  config["vision_config"]["num_hidden_layers"] = 1000;
  test::write_file(folder.path() / "config.json", config.dump());
  EXPECT_THAT(test::load_error(folder.path()),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("has shape [32]"),
                    HasSubstr("expected [1048576]")));
}

TEST(Checkpoint, NamesOfOpenClip) {
  const auto name = [](const std::string& weight) {
    const WeightSource source = source_of(weight, Naming::open_clip, "text.");
    return source.name + (source.third >= 0 ? "#" + std::to_string(source.third) : "") +
           (source.transposed ? " transposed" : "");
  };
  EXPECT_EQ(name("text_model.encoder.layers.11.self_attn.k_proj.bias"),
            "text.transformer.resblocks.11.attn.in_proj_bias#1");
  EXPECT_EQ(name("vision_model.encoder.layers.0.mlp.fc2.weight"),
            "visual.transformer.resblocks.0.mlp.c_proj.weight");
  EXPECT_EQ(name("visual_projection.weight"), "visual.proj transposed");
  EXPECT_EQ(name("text_projection.weight"), "text.text_projection transposed");
  EXPECT_EQ(name("logit_scale"), "logit_scale");
  // Every weight has a place of its own.
  std::set<std::string> places;
  const auto specs = expected_weights(test::small_config());
  for (const WeightSpec& spec : specs)
    places.insert(name(spec.name));
  EXPECT_EQ(places.size(), specs.size());
}

TEST(Checkpoint, ErrorsUseTheNamesOfTheFile) {
  const test::TemporaryFolder folder;
  const auto backbone = test::small_backbone();
  test::Tensors stored = test::open_clip_weights();
  const auto file = folder.path() / "open_clip_model.safetensors";
  const auto write = [&] { test::write_tensors(stored, file); };
  for (const char* name : {"vocab.json", "merges.txt"})
    std::filesystem::copy_file(test::tokenizer_folder() / name, folder.path() / name);
  const json settings = test::open_clip_settings();
  const auto config = folder.path() / "open_clip_config.json";
  test::write_file(config, settings.dump());
  write();
  EXPECT_EQ(Backbone::load(folder.path())->weight_hash(), backbone->weight_hash());

  const at::Tensor joint = stored["transformer.resblocks.0.attn.in_proj_weight"];
  stored["transformer.resblocks.0.attn.in_proj_weight"] = joint.narrow(0, 0, 48);
  write();
  EXPECT_THAT(test::load_error(folder.path()),
              HasSubstr("'transformer.resblocks.0.attn.in_proj_weight' has shape [48, 24], "
                        "expected [72, 24]"));
  stored["transformer.resblocks.0.attn.in_proj_weight"] = joint;
  stored["visual.proj"] = stored["visual.proj"].t();
  write();
  EXPECT_THAT(test::load_error(folder.path()),
              HasSubstr("'visual.proj' has shape [16, 32], expected [32, 16]"));
  stored["visual.proj"] = stored["visual.proj"].t();
  stored["logit_bias"] = at::zeros({});
  write();
  EXPECT_THAT(test::load_error(folder.path()), HasSubstr("holds the tensor 'logit_bias', which"));
  stored.erase("logit_bias");
  stored.erase("ln_final.bias");
  write();
  EXPECT_THAT(test::load_error(folder.path()), HasSubstr("lacks the tensor 'ln_final.bias'"));

  // Settings that ask for another forward are refused by their key.
  const auto with = [&](const char* pointer, const json& value) {
    json changed = settings;
    changed[json::json_pointer(pointer)] = value;
    test::write_file(config, changed.dump());
    return test::load_error(folder.path());
  };
  for (const auto& [pointer, value] :
       std::vector<std::pair<const char*, json>>{{"/model_cfg/vision_cfg/timm_model_name", "vit"},
                                                 {"/model_cfg/vision_cfg/layers", {3, 4, 6, 3}},
                                                 {"/model_cfg/vision_cfg/pool_type", "avg"},
                                                 {"/model_cfg/vision_cfg/no_ln_pre", true},
                                                 {"/model_cfg/text_cfg/hf_model_name", "roberta"},
                                                 {"/model_cfg/text_cfg/no_causal_mask", "yes"},
                                                 {"/model_cfg/multimodal_cfg", {{"width", 512}}},
                                                 {"/model_cfg/vision_cfg/head_width", 5},
                                                 {"/model_cfg/vision_cfg/mlp_ratio", -1.0},
                                                 {"/preprocess_cfg", {{"resize_mode", "longest"}}},
                                                 {"/preprocess_cfg", {{"mean", {0.5}}}}}) {
    const std::string key = json::json_pointer(pointer).back();
    EXPECT_THAT(with(pointer, value), HasSubstr("open_clip_config.json")) << pointer;
  }
}

TEST(Checkpoint, ABackboneKnowsTheSettingsThatItWasLoadedWith) {
  const test::TemporaryFolder folder;
  test::small_backbone()->save(folder.path(), test::tokenizer_folder(), at::kFloat);
  const auto backbone = Backbone::load(folder.path());
  const std::string before = model_settings_hash(folder.path());
  EXPECT_EQ(backbone->settings_hash(), before);
  // Files that change under a loaded backbone do not change what it computes, nor what it is.
  Config config = test::small_config();
  config.text_layer_norm_eps = 1e-6;
  write_config(config, folder.path());
  EXPECT_NE(model_settings_hash(folder.path()), before);
  EXPECT_EQ(backbone->settings_hash(), before);
}

TEST(Checkpoint, SettingsHashChangesWithEverySetting) {
  const test::TemporaryFolder folder;
  test::small_backbone()->save(folder.path(), test::tokenizer_folder(), at::kFloat);
  const std::string before = model_settings_hash(folder.path());
  EXPECT_EQ(before.size(), 64U);
  EXPECT_EQ(before, model_settings_hash(folder.path() / "model.safetensors"));
  std::set<std::string> seen{before};
  const auto is_new = [&] { return seen.insert(model_settings_hash(folder.path())).second; };
  Config config = test::small_config();
  config.text_activation = Activation::gelu;
  write_config(config, folder.path());
  EXPECT_TRUE(is_new());
  config.text_layer_norm_eps = 1e-6;
  write_config(config, folder.path());
  EXPECT_TRUE(is_new());
  config.shape.vision.heads = 2;
  write_config(config, folder.path());
  EXPECT_TRUE(is_new());
  write_preprocessing(Preprocessing{.image_size = 16, .mean = {0.5, 0.5, 0.5}}, folder.path());
  EXPECT_TRUE(is_new());
  const std::string merges = test::read_file(folder.path() / "merges.txt");
  test::write_file(folder.path() / "merges.txt",
                   merges.substr(0, merges.rfind('\n', merges.size() - 2) + 1));
  EXPECT_TRUE(is_new());
  // Two spellings of the same end token are the same model.
  config.eos_token_id = 2;
  write_config(config, folder.path());
  EXPECT_FALSE(is_new());
}

}  // namespace
}  // namespace petlab::clip
