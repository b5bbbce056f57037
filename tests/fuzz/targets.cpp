#include "targets.hpp"

#include "json_file.hpp"
#include "pickle_reader.hpp"
#include "rules.hpp"
#include "safetensors_header.hpp"
#include "seeds.hpp"
#include "settings.hpp"
#include "torchscript_archive.hpp"
#include "vocabulary_files.hpp"
#include "zip_directory.hpp"

namespace petlab::fuzz {

namespace {

/// Tensors lie in the file and their strides reach no further than they say.
void check_tensors(const std::vector<clip::StoredTensor>& tensors, Bytes bytes) {
  for (const clip::StoredTensor& tensor : tensors) {
    require(tensor.offset <= bytes.size() && tensor.bytes <= bytes.size() - tensor.offset,
            "a tensor lies in its file");
    require(tensor.shape.size() == tensor.strides.size(), "every dimension has a stride");
    std::uint64_t count = 0;
    require(clip::count_elements(tensor.shape, count), "elements can be counted");
    std::uint64_t reach = count == 0 ? 0 : 1;
    for (std::size_t i = 0; count > 0 && i < tensor.shape.size(); ++i)
      reach += static_cast<std::uint64_t>(tensor.shape[i] - 1) *
               static_cast<std::uint64_t>(tensor.strides[i]);
    require(reach * c10::elementSize(tensor.type) <= tensor.bytes, "strides stay in the tensor");
    if (tensor.bytes > 0) {
      // Reads both ends, for AddressSanitizer.
      volatile std::uint8_t sink = bytes[tensor.offset];
      sink = bytes[tensor.offset + tensor.bytes - 1];
      static_cast<void>(sink);
    }
  }
}

bool safetensors(Bytes bytes) {
  return expect_value_or_error([&] { check_tensors(clip::parse_safetensors(bytes, "x"), bytes); });
}

/// The first byte says which of the settings files it is.
bool config(Bytes bytes) {
  if (bytes.empty()) return false;
  return expect_value_or_error([&] {
    const auto json = clip::JsonObject::parse(text_of(bytes.subspan(1)), "x.json");
    switch (bytes[0] % 3) {
      case 0: {
        const clip::Config read = clip::config_of(json);
        require(read.shape.vision.width % read.shape.vision.heads == 0, "heads divide the width");
        break;
      }
      case 1:
        require(clip::preprocessing_of(json).image_size > 0, "images have a size");
        break;
      default: {
        const clip::Settings read = clip::open_clip_settings_of(json);
        require(read.config.shape.text.width % read.config.shape.text.heads == 0,
                "heads divide the width");
      }
    }
  });
}

void check_vocabulary(const clip::VocabularyFiles& files) {
  const auto is_token = [&](std::int32_t id) {
    return id >= 0 && static_cast<std::size_t>(id) < files.tokens.size();
  };
  for (const auto& merge : files.merges)
    require(is_token(merge.left) && is_token(merge.right) && is_token(merge.merged),
            "merges are of tokens");
  for (unsigned byte = 0; byte < 256; ++byte)
    require(is_token(files.inner[byte]) && is_token(files.last[byte]), "every byte has a token");
  require(is_token(files.start) && is_token(files.end), "marks are tokens");
}

bool tokenizer(Bytes bytes) {
  const bool is_json = expect_value_or_error([&] {
    check_vocabulary(
        clip::parse_tokenizer_json(clip::JsonObject::parse(text_of(bytes), "tokenizer.json")));
  });
  const bool is_text = expect_value_or_error(
      [&] { check_vocabulary(clip::parse_bpe_text(text_of(bytes), 520, "bpe.txt")); });
  return is_json || is_text;
}

bool archive(Bytes bytes) {
  // Without checksums, which would hide what is behind them.
  return expect_value_or_error([&] {
    check_tensors(clip::parse_torch_archive(bytes, "x.pt", {.checksums = false}), bytes);
  });
}

bool pickle(Bytes bytes) {
  return expect_value_or_error([&] { (void)clip::Pickle::parse(bytes, "x.pt"); });
}

}  // namespace

const std::vector<Target>& targets() {
  static const std::vector<Target> all = {{"safetensors", safetensors, safetensors_seeds},
                                          {"config", config, config_seeds},
                                          {"tokenizer", tokenizer, tokenizer_seeds},
                                          {"archive", archive, archive_seeds},
                                          {"pickle", pickle, pickle_seeds}};
  return all;
}

}  // namespace petlab::fuzz
