#pragma once

#include "petlab/clip/backbone.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

namespace petlab::clip::test {

/// A folder of its own for each test, removed with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A vocabulary of 560 tokens, trained once a process.
[[nodiscard]] const std::filesystem::path& tokenizer_folder();

/// 3 image and 2 text layers, widths 32 and 24, 16 px, context 20.
[[nodiscard]] Config small_config();

/// Random weights; biases and norms too, so that none of them is without effect.
[[nodiscard]] std::shared_ptr<Backbone> small_backbone(std::uint64_t seed = 1);

[[nodiscard]] at::Tensor random_tensor(at::IntArrayRef shape, std::uint64_t seed);

[[nodiscard]] std::string read_file(const std::filesystem::path& file);
void write_file(const std::filesystem::path& file, const std::string& content);

/// The message of the base::Error that `action` must throw; "" and a failure when it throws none.
[[nodiscard]] std::string error_of(const std::function<void()>& action);
/// That of loading a model.
[[nodiscard]] std::string load_error(const std::filesystem::path& model);

/// Largest absolute difference.
[[nodiscard]] double distance(const at::Tensor& a, const at::Tensor& b);

}  // namespace petlab::clip::test
