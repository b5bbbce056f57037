#include "petlab/clip/model_hub.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

namespace petlab::clip {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModel = "models--";
constexpr std::string_view kBetween = "--";

bool is_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

/// The variable's value; empty where it is not set.
fs::path variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

/// The order in which huggingface_hub looks.
fs::path hub_cache() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const fs::path folder = variable(name); !folder.empty()) return folder;
  if (const fs::path home = variable("HF_HOME"); !home.empty()) return home / "hub";
  if (const fs::path cache = variable("XDG_CACHE_HOME"); !cache.empty())
    return cache / "huggingface" / "hub";
  const fs::path home = variable("HOME");
  return home.empty() ? home : home / ".cache" / "huggingface" / "hub";
}

/// Empty where there is none, or none that can be told from others.
fs::path snapshot_in(const fs::path& model) {
  std::error_code ignored;
  std::string commit;
  std::ifstream(model / "refs" / "main") >> commit;
  if (is_name(commit) && fs::is_directory(model / "snapshots" / commit, ignored))
    return model / "snapshots" / commit;
  std::vector<fs::path> all;
  for (const auto& entry : fs::directory_iterator(model / "snapshots", ignored))
    if (entry.is_directory(ignored)) all.push_back(entry.path());
  return all.size() == 1 ? all.front() : fs::path();
}

}  // namespace

fs::path model_path(const fs::path& said, const fs::path& base) {
  const fs::path path = fs::absolute(base / said).lexically_normal();
  std::error_code ignored;
  if (said.is_absolute() || fs::exists(path, ignored)) return path;
  const std::string organisation = said.parent_path().string(), name = said.filename().string();
  const fs::path cache = hub_cache();
  if (!is_name(organisation) || !is_name(name) || cache.empty()) return path;
  const fs::path found =
      snapshot_in(cache / (std::string(kModel) + organisation + std::string(kBetween) + name));
  return found.empty() ? path : fs::absolute(found).lexically_normal();
}

std::string model_name(const fs::path& path) {
  const std::string last = path.filename().string();
  const fs::path snapshots = path.parent_path();
  const std::string model = snapshots.parent_path().filename().string();
  if (snapshots.filename() != "snapshots" || !model.starts_with(kModel)) return last;
  const auto between = model.find(kBetween, kModel.size());
  return between == std::string::npos ? model.substr(kModel.size())
                                      : model.substr(between + kBetween.size());
}

std::string hub_hint(const fs::path& path) {
  std::error_code ignored;
  const std::string organisation = path.parent_path().filename().string();
  const std::string name = path.filename().string();
  if (!is_name(organisation) || !is_name(name) || fs::exists(path.parent_path(), ignored))
    return "";
  return "; a model of the Hugging Face hub has to be in its cache: hf download " + organisation +
         "/" + name;
}

}  // namespace petlab::clip
