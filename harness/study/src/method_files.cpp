#include "petlab/sdk/method_files.hpp"

#include "descriptor_checks.hpp"
#include "petlab/base/error.hpp"
#include "petlab/study/plugin_loader.hpp"

#include <algorithm>
#include <map>
#include <system_error>

// Methods in files of their own, which a plugin hosts.
namespace petlab::study {
namespace fs = std::filesystem;
namespace {

std::string method_name(const fs::path& file) {
  std::string name = file.stem().string();
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

std::string quoted(const fs::path& file) {
  return "method file " + file.string();
}

}  // namespace

const PluginRegistry::FileHost* PluginRegistry::host_of(const fs::path& file) const {
  for (const FileHost& host : file_hosts_)
    if (file.extension() == host.how->extension) return &host;
  return nullptr;
}

void PluginRegistry::find_method_files(const Source& source) {
  std::map<std::string, MethodFile> by_name;
  const auto add = [&](const fs::path& file) {
    const FileHost* host = host_of(file);
    std::error_code error;
    if (host == nullptr || !fs::is_regular_file(file, error)) return;
    const fs::path whole = fs::absolute(file);
    if (!host->how->is_method(whole.c_str())) return;
    const std::string name = method_name(whole);
    const auto [used, is_new] = by_name.try_emplace(
        name, MethodFile{.file = whole, .method = name, .host = host->plugin, .how = host->how});
    if (!is_new && !fs::equivalent(used->second.file, whole, error))
      shadowed_.push_back({whole, used->second.file});
  };
  for (const fs::path& folder : source.folders) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error))
      files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files)
      add(file);
  }
  for (const fs::path& file : source.files)
    add(file);
  const std::vector<std::string> taken = method_names();
  for (auto& [name, file] : by_name) {
    if (std::find(taken.begin(), taken.end(), name) != taken.end())
      refused_.push_back({file.file, "cannot use " + quoted(file.file) + ": method '" + name +
                                         "' is already in a plugin"});
    else
      method_files_.push_back(std::move(file));
  }
}

const LoadedPlugin& PluginRegistry::open(const MethodFile& file) const {
  const auto refuse = [&](const std::string& reason) {
    throw base::Error(base::ErrorKind::plugin, "cannot use " + quoted(file.file) + ": " + reason);
  };
  const sdk::PluginDescriptor* descriptor = nullptr;
  try {
    descriptor = file.how->open(file.file.c_str());
  } catch (const std::exception& error) {
    refuse(error.what());
  }
  if (descriptor == nullptr || descriptor->method_count != 1)
    refuse("it was opened without a method");
  if (const std::string reason = check_entries(*descriptor); !reason.empty()) refuse(reason);
  if (file.method != descriptor->methods->name)
    refuse("its method is called '" + std::string(descriptor->methods->name) + "', expected '" +
           file.method + "'");
  plugins_.push_back({file.file, descriptor, file.host});
  return plugins_.back();
}

}  // namespace petlab::study
