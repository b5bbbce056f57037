#include "reference.hpp"

#include "petlab/clip/tokenizer.hpp"

#include <errno.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace petlab::parity {

namespace {

std::string quoted(const std::string& text) {
  std::string result(1, '\'');
  for (const char c : text) {
    if (c == '\'') result.append("'\\'");
    result.push_back(c);
  }
  result.push_back('\'');
  return result;
}

}  // namespace

std::filesystem::path fresh_folder(const std::string& name) {
  const std::filesystem::path folder = std::filesystem::path(PETLAB_BINARY_DIR) / "parity" / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

void run_reference(const std::string& script, const std::vector<std::string>& arguments,
                   const std::filesystem::path& folder) {
  if (!std::filesystem::exists(PETLAB_REFERENCE_PYTHON))
    throw std::runtime_error("no reference Python at " PETLAB_REFERENCE_PYTHON
                             "; `make test` installs it");
  const auto log = fresh_folder(std::string("log-") + program_invocation_short_name + "-" +
                                std::filesystem::path(script).stem().string()) /
                   "output.txt";
  std::string command = folder.empty() ? "" : "cd " + quoted(folder.string()) + " && ";
  command += "HF_HUB_OFFLINE=1";
  const auto add = [&](const std::string& word) { command.append(" ").append(quoted(word)); };
  add(PETLAB_REFERENCE_PYTHON);
  add(PETLAB_SOURCE_DIR "/tests/parity/" + script);
  for (const std::string& argument : arguments)
    add(argument);
  command.append(" >").append(quoted(log.string())).append(" 2>&1");
  if (std::system(command.c_str()) == 0) return;
  std::ifstream in(log);
  throw std::runtime_error(script + " failed:\n" +
                           std::string(std::istreambuf_iterator<char>(in), {}));
}

const std::filesystem::path& small_tokenizer() {
  static const std::filesystem::path folder = [] {
    auto result = fresh_folder("small-tokenizer");
    const std::vector<std::pair<std::string, std::int64_t>> texts{
        {"a photo of a dog.", 9},         {"a photo of an alarm clock.", 7},
        {"a photo of a calculator.", 5},  {"a photo of a red bicycle", 3},
        {"it's a fan, isn't it?", 2},     {"a bed in a bedroom", 4},
        {"seven candles and one bell", 3}};
    clip::train_tokenizer(texts, /*vocab_size=*/560, /*context_length=*/24, result);
    return result;
  }();
  return folder;
}

}  // namespace petlab::parity
