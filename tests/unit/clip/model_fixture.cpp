#include "model_fixture.hpp"

#include "petlab/base/error.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>

namespace petlab::clip::test {

TemporaryFolder::TemporaryFolder() {
  static std::atomic<int> next = 0;
  path_ = std::filesystem::temp_directory_path() /
          ("petlab-clip-" + std::to_string(::getpid()) + "-" + std::to_string(next++));
  std::filesystem::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

const std::filesystem::path& tokenizer_folder() {
  static const TemporaryFolder folder;
  static const bool trained = [] {
    const std::vector<std::pair<std::string, std::int64_t>> texts{
        {"a photo of a dog.", 9},         {"a photo of an alarm clock.", 7},
        {"a photo of a calculator.", 5},  {"a photo of a red bicycle", 3},
        {"it's a fan, isn't it?", 2},     {"a bed in a bedroom", 4},
        {"seven candles and one bell", 3}};
    train_tokenizer(texts, /*vocab_size=*/560, /*context_length=*/20, folder.path());
    return true;
  }();
  static_cast<void>(trained);
  return folder.path();
}

Config small_config() {
  Config config;
  config.shape = {.vision = {.layers = 3, .width = 32, .heads = 4, .mlp_width = 64},
                  .text = {.layers = 2, .width = 24, .heads = 3, .mlp_width = 48},
                  .embed_dim = 16,
                  .image_size = 16,
                  .patch_size = 8,
                  .context_length = 20};
  config.vocab_size = 560;
  config.bos_token_id = 558;
  config.eos_token_id = 559;
  return config;
}

std::shared_ptr<Backbone> small_backbone(std::uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  auto backbone = Backbone::random(small_config(), Tokenizer::load(tokenizer_folder()),
                                   Preprocessing{.image_size = 16}, generator);
  for (const sdk::NamedTensor& weight : backbone->weights())
    if (weight.value.dim() == 1)
      weight.value.add_(at::empty(weight.value.sizes()).normal_(0, 0.1, generator));
  return backbone;
}

at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed) {
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(seed);
  return at::empty(shape).normal_(0, 1, generator);
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

std::string load_error(const std::filesystem::path& model) {
  return error_of([&] { (void)Backbone::load(model); });
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

}  // namespace petlab::clip::test
