// Folders of models as users have them: checkpoints of a training, half clones, towers of others.
#include "checkpoint_names.hpp"
#include "model_files.hpp"
#include "model_fixture.hpp"
#include "open_clip_fixture.hpp"
#include "petlab/clip/checkpoint.hpp"
#include "petlab/clip/safetensors.hpp"
#include "weights.hpp"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <map>

namespace petlab::clip {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

using test::open_clip_settings;
using test::open_clip_weights;
using test::Tensors;
using test::write_tensors;

Tensors small_weights() {
  Tensors tensors;
  for (const sdk::NamedTensor& weight : test::small_backbone()->weights())
    tensors[weight.name] = weight.value.clone();
  return tensors;
}

class UserModels : public testing::Test {
 protected:
  /// The small backbone in Hugging Face's layout.
  void save() const {
    test::small_backbone()->save(folder(), test::tokenizer_folder(), at::kFloat);
  }
  void save_vocabulary() const {
    for (const char* name : {"vocab.json", "merges.txt"})
      fs::copy_file(test::tokenizer_folder() / name, folder() / name,
                    fs::copy_options::overwrite_existing);
  }
  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }
  [[nodiscard]] static std::string expected_hash() { return test::small_backbone()->weight_hash(); }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(UserModels, APrefixOfAllNamesIsTakenOffAndNamed) {
  save();
  for (const char* prefix :
       {"module.", "_orig_mod.", "model.", "base_model.model.", "module._orig_mod.", "clip."}) {
    write_tensors(small_weights(), folder() / "model.safetensors", prefix);
    EXPECT_EQ(Backbone::load(folder())->weight_hash(), expected_hash()) << prefix;
    EXPECT_EQ(inspect_checkpoint(folder()).stripped, prefix);
  }
  write_tensors(small_weights(), folder() / "model.safetensors");
  EXPECT_EQ(inspect_checkpoint(folder()).stripped, "");
  Tensors beside = small_weights();
  for (auto& [name, value] : small_weights())
    beside["module." + name] = value;
  beside.erase("vision_model.embeddings.class_embedding");
  write_tensors(beside, folder() / "model.safetensors");
  EXPECT_THAT(test::load_error(folder()),
              AllOf(HasSubstr("names begin with 'module.'"), HasSubstr("expected the CLIP alone")));
}

TEST_F(UserModels, NamesThatAreOneWithoutThePrefixAreRefused) {
  save();
  // Beside "model." other tensors may stand (an optimizer's), but not the CLIP's own.
  Tensors tensors;
  for (auto& [name, value] : small_weights())
    tensors["model." + name] = value;
  tensors["optimizer.step"] = at::zeros({});
  write_tensors(tensors, folder() / "model.safetensors");
  EXPECT_EQ(Backbone::load(folder())->weight_hash(), expected_hash());
  tensors["logit_scale"] = at::zeros({});
  write_tensors(tensors, folder() / "model.safetensors");
  EXPECT_THAT(test::load_error(folder()),
              HasSubstr("holds the tensors 'logit_scale' and 'model.logit_scale', which are one "
                        "without the prefix 'model.'"));
}

TEST_F(UserModels, PrefixedNamesOfOpenClipFindTheirConfiguration) {
  save_vocabulary();
  test::write_file(folder() / "open_clip_config.json", open_clip_settings().dump());
  write_tensors(open_clip_weights(), folder() / "open_clip_model.safetensors", "module.");
  EXPECT_EQ(Backbone::load(folder())->weight_hash(), expected_hash());
}

TEST_F(UserModels, UnmergedAdaptersAreCalledSo) {
  save();
  Tensors tensors = small_weights();
  tensors["text_model.encoder.layers.0.self_attn.q_proj.lora_A.default.weight"] = at::zeros({2, 2});
  write_tensors(tensors, folder() / "model.safetensors", "base_model.model.");
  EXPECT_THAT(test::load_error(folder()),
              AllOf(HasSubstr("PEFT"), HasSubstr("merge_and_unload()")));
}

TEST_F(UserModels, TheClipBesideATowerOfTimmIsTaken) {
  save_vocabulary();
  test::write_file(folder() / "config.json", R"({"architecture": "vit_base_patch16_clip_224"})");
  write_tensors(
      {{"cls_token", at::zeros({1, 1, 8})}, {"blocks.0.attn.qkv.weight", at::zeros({24, 8})}},
      folder() / "model.safetensors");
  EXPECT_THAT(test::load_error(folder()),
              AllOf(HasSubstr("holds no CLIP"), HasSubstr("'blocks.0.attn")));
  test::write_file(folder() / "open_clip_config.json", open_clip_settings().dump());
  write_tensors(open_clip_weights(), folder() / "open_clip_model.safetensors");
  EXPECT_EQ(Backbone::load(folder())->weight_hash(), expected_hash());
  // Where both are a CLIP the first counts, as ever.
  Tensors other = open_clip_weights();
  other["logit_scale"] = at::zeros({});
  write_tensors(other, folder() / "model.safetensors");
  EXPECT_NE(Backbone::load(folder())->weight_hash(), expected_hash());
}

TEST_F(UserModels, ResNetsAndOtherTowersAreCalledSo) {
  save_vocabulary();
  const fs::path file = folder() / "open_clip_model.safetensors";
  Tensors tensors = open_clip_weights();
  std::erase_if(tensors, [](const auto& one) { return one.first.starts_with("visual."); });
  const Tensors text = tensors;
  tensors["visual.conv1.weight"] = at::zeros({32, 3, 3, 3});
  tensors["visual.layer1.0.conv1.weight"] = at::zeros({64, 64, 1, 1});
  tensors["visual.attnpool.positional_embedding"] = at::zeros({50, 64});
  write_tensors(tensors, file);
  EXPECT_THAT(test::load_error(folder()), HasSubstr("a ResNet (RN50 and the like)"));
  write_tensors(tensors, file, "module.");
  EXPECT_THAT(test::load_error(folder()), HasSubstr("a ResNet (RN50 and the like)"));
  tensors = text;
  tensors["visual.trunk.cls_token"] = at::zeros({1, 1, 8});
  write_tensors(tensors, file);
  EXPECT_THAT(test::load_error(folder()), HasSubstr("an image tower of timm"));
}

TEST_F(UserModels, RefusalsOfOpenClipNameTheFamily) {
  save_vocabulary();
  // Names alone, then the configuration, which tells more.
  Tensors tensors = open_clip_weights();
  std::erase_if(tensors, [](const auto& one) { return one.first.starts_with("visual."); });
  tensors["visual.trunk.attn_pool.latent"] = at::zeros({1, 1, 8});
  write_tensors(tensors, folder() / "open_clip_model.safetensors");
  EXPECT_THAT(test::load_error(folder()),
              AllOf(HasSubstr("holds a SigLIP"), HasSubstr("google/siglip-*")));
  json settings = open_clip_settings();
  const auto error_with = [&](const char* pointer, const json& value) {
    json changed = settings;
    changed[json::json_pointer(pointer)] = value;
    test::write_file(folder() / "open_clip_config.json", changed.dump());
    return test::load_error(folder());
  };
  EXPECT_THAT(error_with("/model_cfg/vision_cfg/timm_model_name", "vit_base_patch16_siglip_224"),
              HasSubstr("the family is SigLIP in timm's layout"));
  EXPECT_THAT(error_with("/model_cfg/vision_cfg/timm_model_name", "resnetv2_50"),
              HasSubstr("the family is CLIP with a tower of timm"));
  EXPECT_THAT(error_with("/model_cfg/multimodal_cfg", json::object({{"width", 8}})),
              HasSubstr("the family is CoCa"));
  EXPECT_THAT(error_with("/model_cfg/text_cfg/hf_tokenizer_name", "bert-base-uncased"),
              AllOf(HasSubstr("the family is CLIPA"), HasSubstr("hf_tokenizer_name")));
}

TEST_F(UserModels, LayerScaleIsFoldedAndMustBeWhole) {
  save_vocabulary();
  json settings = open_clip_settings();
  settings["model_cfg"]["vision_cfg"]["ls_init_value"] = 1e-4;
  test::write_file(folder() / "open_clip_config.json", settings.dump());
  const fs::path file = folder() / "open_clip_model.safetensors";
  Tensors tensors = open_clip_weights();
  write_tensors(tensors, file);
  EXPECT_THAT(test::load_error(folder()),
              AllOf(HasSubstr("'model_cfg.vision_cfg.ls_init_value' is set"),
                    HasSubstr("'visual.transformer.resblocks.0.ls_1.gamma'")));
  for (int layer = 0; layer < 3; ++layer)
    for (const char* name : {"ls_1", "ls_2"})
      tensors["visual.transformer.resblocks." + std::to_string(layer) + "." + name + ".gamma"] =
          at::full({32}, 0.5);
  write_tensors(tensors, file);
  const auto scaled = Backbone::load(folder());
  for (const sdk::NamedTensor& weight : scaled->weights()) {
    const bool is_scaled = weight.name.starts_with("vision_model.encoder") &&
                           (weight.name.find("out_proj") != std::string::npos ||
                            weight.name.find("fc2") != std::string::npos);
    for (const sdk::NamedTensor& own : test::small_backbone()->weights())
      if (own.name == weight.name) {
        EXPECT_TRUE(at::equal(weight.value, is_scaled ? own.value * 0.5 : own.value)) << own.name;
      }
  }
  tensors.erase("visual.transformer.resblocks.2.ls_2.gamma");
  write_tensors(tensors, file);
  EXPECT_THAT(test::load_error(folder()),
              HasSubstr("lacks the tensor 'visual.transformer.resblocks.2.ls_2.gamma'"));
}

TEST_F(UserModels, PointersOfGitLfsAreCalledSo) {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 605157884\n";
  for (const char* name : {"model.safetensors", "config.json", "vocab.json", "merges.txt",
                           "preprocessor_config.json"}) {
    save();
    test::write_file(folder() / name, pointer);
    EXPECT_THAT(
        test::load_error(folder()),
        AllOf(HasSubstr(name), HasSubstr("is a pointer of Git LFS"), HasSubstr("lfs pull")));
  }
  fs::remove(folder() / "model.safetensors");
  test::write_file(folder() / "ViT-B-16.pt", pointer);
  EXPECT_THAT(test::error_of([&] { (void)inspect_checkpoint(folder()); }),
              HasSubstr("is a pointer of Git LFS"));
}

TEST_F(UserModels, NumbersThatAreNotFiniteAreRefused) {
  save();
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    Tensors tensors = small_weights();
    tensors["text_model.encoder.layers.1.mlp.fc1.weight"][3][2] = bad;
    write_tensors(tensors, folder() / "model.safetensors");
    EXPECT_THAT(test::load_error(folder()),
                AllOf(HasSubstr("'text_model.encoder.layers.1.mlp.fc1.weight'"),
                      HasSubstr("holds 1 of 1152 numbers that are not finite")));
  }
  // Large numbers are finite, though their sum is not.
  Tensors tensors = small_weights();
  tensors["text_projection.weight"].fill_(3e38);
  write_tensors(tensors, folder() / "model.safetensors");
  EXPECT_NE(Backbone::load(folder())->weight_hash(), expected_hash());
  // Half precision has stored what it could not hold.
  tensors["text_projection.weight"] = at::full({16, 24}, 1e300, at::kDouble);
  write_tensors(tensors, folder() / "model.safetensors");
  EXPECT_THAT(test::load_error(folder()), HasSubstr("holds 384 of 384 numbers"));
}

TEST_F(UserModels, AnEndTokenByItsIdIsPooled) {
  save_vocabulary();
  write_tensors(open_clip_weights(), folder() / "open_clip_model.safetensors");
  json settings = open_clip_settings();
  const auto with = [&](const json& text) {
    settings["model_cfg"]["text_cfg"].update(text);
    test::write_file(folder() / "open_clip_config.json", settings.dump());
  };
  with({{"pool_type", "eos"}, {"eos_id", 559}});
  EXPECT_EQ(Backbone::load(folder())->config().eos_token_id, 559);
  with({{"eos_id", 5}});
  EXPECT_THAT(test::load_error(folder()), HasSubstr("eos_token_id 5"));
  settings["model_cfg"]["text_cfg"].erase("eos_id");
  with(json::object());
  EXPECT_THAT(test::load_error(folder()), HasSubstr("'model_cfg.text_cfg.eos_id' is 2"));
  with({{"pool_type", "first"}});
  EXPECT_THAT(test::load_error(folder()),
              HasSubstr("'model_cfg.text_cfg.pool_type' is 'first', expected argmax, eos or last"));
  with({{"pool_type", "last"}});
  EXPECT_EQ(Backbone::load(folder())->config().text_pooling, TextPooling::last);
  EXPECT_EQ(inspect_checkpoint(folder()).family,
            "OpenCLIP ViT of width 32, patches of 8, text pooling last");
  // Hugging Face's layout cannot say it.
  const test::TemporaryFolder out;
  EXPECT_THAT(test::error_of([&] {
                Backbone::load(folder())->save(out.path(), test::tokenizer_folder(), at::kFloat);
              }),
              HasSubstr("cannot be written"));
}

TEST_F(UserModels, OtherFamiliesAreExplained) {
  save();
  json config = json::parse(test::read_file(folder() / "config.json"));
  for (const auto& [type, why] :
       std::map<std::string, std::string>{{"siglip2", "NaFlex"},
                                          {"siglip_vision_model", "one tower of a SigLIP"},
                                          {"clip_vision_model", "both"}}) {
    config["model_type"] = type;
    test::write_file(folder() / "config.json", config.dump());
    EXPECT_THAT(test::load_error(folder()), AllOf(HasSubstr("'" + type + "'"), HasSubstr(why)));
  }
}

}  // namespace
}  // namespace petlab::clip
