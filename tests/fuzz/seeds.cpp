#include "seeds.hpp"

#include "archive_fixture.hpp"
#include "byte_alphabet.hpp"

#include <nlohmann/json.hpp>

namespace petlab::fuzz {

using clip::test::bytes_of;
using clip::test::dictionary_pickle;
using clip::test::tensor_pickle;
using clip::test::zip_of;
using nlohmann::json;

namespace {

std::string safetensors_file(const json& header, std::size_t data) {
  const std::string text = header.dump();
  return bytes_of(text.size(), 8) + text + std::string(data, '\1');
}

json tokenizer_json(bool has_pairs) {
  json vocabulary;
  int next = 0;
  for (const char* end : {"", "</w>"})
    for (const unsigned char byte : clip::byte_alphabet().order())
      vocabulary[clip::byte_alphabet().symbol(byte) + end] = next++;
  json merges = json::array();
  for (const auto& [left, right] :
       std::vector<std::pair<std::string, std::string>>{{"a", "b"}, {"ab", "c</w>"}, {"i", "n"}}) {
    vocabulary[left + right] = next++;
    merges.push_back(has_pairs ? json{left, right} : json(left + " " + right));
  }
  vocabulary["<|startoftext|>"] = next;
  const json added = {{{"content", "<|startoftext|>"}, {"id", next}},
                      {{"content", "<|endoftext|>"}, {"id", next + 1}}};
  const char* pattern = R"('s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
  return {{"added_tokens", added},
          {"normalizer", {{"normalizers", {{{"type", "NFC"}}, {{"type", "Lowercase"}}}}}},
          {"pre_tokenizer", {{"pattern", {{"Regex", pattern}}}}},
          {"model",
           {{"type", "BPE"},
            {"end_of_word_suffix", "</w>"},
            {"dropout", nullptr},
            {"vocab", vocabulary},
            {"merges", merges}}}};
}

}  // namespace

std::vector<std::string> safetensors_seeds() {
  const json one = {{"a", {{"dtype", "F32"}, {"shape", {2, 3}}, {"data_offsets", {0, 24}}}}};
  json more = one;
  more["__metadata__"] = {{"format", "pt"}};
  more["b.c"] = {{"dtype", "BF16"}, {"shape", json::array()}, {"data_offsets", {24, 26}}};
  more["d"] = {{"dtype", "U8"}, {"shape", {0, 7}}, {"data_offsets", {26, 26}}};
  return {safetensors_file(one, 24), safetensors_file(more, 26),
          safetensors_file(json::object(), 0)};
}

std::vector<std::string> config_seeds() {
  const json tower = {{"hidden_size", 64},      {"num_attention_heads", 4},
                      {"num_hidden_layers", 2}, {"intermediate_size", 256},
                      {"hidden_act", "gelu"},   {"layer_norm_eps", 1e-6}};
  json vision = tower;
  vision["image_size"] = {32, 32};
  json text = tower;
  text["eos_token_id"] = 2;
  const json model = {{"model_type", "clip"},
                      {"projection_dim", 32},
                      {"vision_config", vision},
                      {"text_config_dict", text},
                      {"logit_scale_init_value", 2.6592}};
  const json images = {{"image_processor_type", "CLIPImageProcessor"},
                       {"size", {{"shortest_edge", 224}}},
                       {"crop_size", {{"height", 224}, {"width", 224}}},
                       {"image_mean", {0.5, 0.4, 0.3}},
                       {"image_std", {0.1, 0.2, 0.3}},
                       {"do_resize", true},
                       {"resample", 3},
                       {"rescale_factor", 1.0 / 255}};
  const json open_clip = {
      {"model_cfg",
       {{"embed_dim", 32},
        {"quick_gelu", true},
        {"vision_cfg", {{"layers", 2}, {"width", 64}, {"head_width", 16}, {"mlp_ratio", 3.5}}},
        {"text_cfg",
         {{"layers", 2}, {"width", 64}, {"heads", 4}, {"norm_kwargs", {{"eps", 0.1}}}}}}},
      {"preprocess_cfg", {{"mean", {0, 0, 0}}, {"std", {1, 1, 1}}, {"resize_mode", "shortest"}}}};
  return {std::string(1, '\0') + model.dump(), "\1" + images.dump(), "\2" + open_clip.dump()};
}

std::vector<std::string> tokenizer_seeds() {
  return {tokenizer_json(true).dump(), tokenizer_json(false).dump(),
          "\"bpe_simple_vocab_16e6.txt#version: 0.2\na b\nab c</w>\ni n\nt h\nth e</w>\no n\n"};
}

std::vector<std::string> archive_seeds() {
  const std::string module = std::string("\x80\x02") + "c__torch__.A\nA\n)\x81}(X" +
                             bytes_of(1, 4) + "w" + tensor_pickle("0", 6, {3, 2}, {1, 3}, 0) + "X" +
                             bytes_of(8, 4) + "training\x88ub.";
  return {clip::test::small_archive(),
          zip_of({{"m/data.pkl", module}, {"m/data/0", std::string(24, '\1')}, {"m/version", "3"}}),
          zip_of({})};
}

std::vector<std::string> pickle_seeds() {
  return {dictionary_pickle("w", tensor_pickle("0", 6, {2, 3}, {3, 1})),
          std::string("\x80\x02") + "]q\x01(K\x01M\x02\x03J\x04\x05\x06\x07\x8a\x02\x08\x09" +
              "G12345678NK\x02\x85K\x03K\x04\x86q\x02h\x02K\x05h\x02\x87" + "e.",
          std::string("\x80\x02") + "ctorch.jit._pickle\nbuild_intlist\n(](K\x01K\x02" + "etR."};
}

}  // namespace petlab::fuzz
