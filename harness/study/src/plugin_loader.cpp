#include "petlab/study/plugin_loader.hpp"

#define BOOST_DLL_USE_STD_FS
#include "descriptor_checks.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/sdk/method_files.hpp"

#include <boost/dll/shared_library.hpp>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <span>
#include <system_error>

namespace petlab::study {
namespace fs = std::filesystem;
namespace {

/// dlerror's text out of Boost's sentence, which ends with an errno that has nothing to do with it.
std::string loader_message(const std::string& what) {
  const std::string begin = "dlerror system message: ";
  const auto from = what.find(begin);
  if (from == std::string::npos) return what;
  const auto to = what.rfind(')');
  return what.substr(from + begin.size(), to == std::string::npos ? to : to - from - begin.size());
}

/// Libraries are never unloaded: tensors of a run hold autograd nodes whose code is the plugin's,
/// and LibTorch's own globals may be gone when static objects are destroyed.
void keep_forever(std::shared_ptr<boost::dll::shared_library> library) {
  static auto& kept = *new std::vector<std::shared_ptr<boost::dll::shared_library>>;
  kept.push_back(std::move(library));
}

bool is_plugin_name(const std::string& name) {
  return name.starts_with("petlab_") && name.ends_with(".so") && name.size() > 10;
}

std::vector<fs::path> find_files(const std::vector<fs::path>& folders,
                                 std::vector<ShadowedPlugin>& shadowed) {
  std::map<std::string, fs::path> by_name;
  for (const fs::path& folder : folders) {
    std::error_code error;
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder, error))
      if (is_plugin_name(entry.path().filename().string())) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
      const auto [used, is_new] = by_name.emplace(file.filename().string(), file);
      if (!is_new && !fs::equivalent(used->second, file, error))
        shadowed.push_back({file, used->second});
    }
  }
  std::vector<fs::path> result;
  for (const auto& [name, file] : by_name)
    result.push_back(file);
  return result;
}

}  // namespace

PluginRegistry::PluginRegistry(const Source& source) {
  std::vector<fs::path> files = find_files(source.folders, shadowed_);
  files.insert(files.end(), source.files.begin(), source.files.end());
  plugins_.reserve(files.size());  // references to plugins stay good
  for (const fs::path& file : files)
    if (host_of(file) == nullptr) load(fs::absolute(file));
  if (file_hosts_.empty()) return;
  find_method_files(source);
  plugins_.reserve(plugins_.size() + method_files_.size());  // nobody refers to one yet
}

void PluginRegistry::load(const fs::path& file) {
  const std::string name = file.filename().string();
  const auto refuse = [&](const std::string& reason) {
    refused_.push_back({file, "cannot load plugin " + name + ": " + reason});
  };
  try {
    // Before it is loaded: that alone would run the constructors of a library of any origin.
    ElfFile on_disk(file);
    if (const std::string reason = check_record(on_disk, name); !reason.empty())
      return refuse(reason);
    // Not lazy: a missing symbol must be refused here, not kill a run. Not global: a plugin must
    // never bind to another plugin's code.
    auto library = std::make_shared<boost::dll::shared_library>(
        file, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    keep_forever(library);
    if (!library->has(sdk::kPluginSymbol))
      return refuse(std::string("not a petlab plugin: no symbol ") + sdk::kPluginSymbol);
    const auto& descriptor = library->get<const sdk::PluginDescriptor>(sdk::kPluginSymbol);
    if (const std::string reason = check_descriptor(descriptor, name); !reason.empty())
      return refuse(reason);
    if (descriptor.method_count + descriptor.grouping_count == 0 &&
        !library->has(sdk::kMethodFilesSymbol))
      return refuse("it has neither a method nor a grouping");
    for (const LoadedPlugin& other : plugins_) {
      const sdk::PluginDescriptor& theirs = *other.descriptor;
      for (const auto& mine : std::span(descriptor.methods, descriptor.method_count))
        for (const auto& taken : std::span(theirs.methods, theirs.method_count))
          if (std::string_view(mine.name) == taken.name)
            return refuse(std::string("method '") + mine.name + "' is already in plugin " +
                          other.file.filename().string());
      for (const auto& mine : std::span(descriptor.groupings, descriptor.grouping_count))
        for (const auto& taken : std::span(theirs.groupings, theirs.grouping_count))
          if (std::string_view(mine.name) == taken.name)
            return refuse(std::string("grouping '") + mine.name + "' is already in plugin " +
                          other.file.filename().string());
    }
    if (library->has(sdk::kMethodFilesSymbol))
      file_hosts_.push_back({file, &library->get<const sdk::MethodFiles>(sdk::kMethodFilesSymbol)});
    plugins_.push_back({file, &descriptor});
  } catch (const std::exception& error) {
    refuse(loader_message(error.what()));
  }
}

MethodRef PluginRegistry::method(const std::string& name) const {
  for (const LoadedPlugin& plugin : plugins_)
    for (const auto& entry : std::span(plugin.descriptor->methods, plugin.descriptor->method_count))
      if (name == entry.name) return {&plugin, &entry};
  for (const MethodFile& file : method_files_) {
    if (file.method != name) continue;
    const LoadedPlugin& plugin = open(file);
    return {&plugin, plugin.descriptor->methods};
  }
  throw base::Error(base::ErrorKind::config, "no plugin has a method '" + name + "'" +
                                                 base::did_you_mean(name, method_names()) +
                                                 why_missing());
}

GroupingRef PluginRegistry::grouping(const std::string& name) const {
  for (const LoadedPlugin& plugin : plugins_)
    for (const auto& entry :
         std::span(plugin.descriptor->groupings, plugin.descriptor->grouping_count))
      if (name == entry.name) return {&plugin, &entry};
  throw base::Error(base::ErrorKind::config, "no plugin has a grouping '" + name + "'" +
                                                 base::did_you_mean(name, grouping_names()) +
                                                 why_missing());
}

std::string PluginRegistry::why_missing() const {
  if (refused_.empty()) return "";
  std::string names;
  for (const RefusedPlugin& plugin : refused_)
    names += (names.empty() ? "" : ", ") + plugin.file.filename().string();
  return " (refused plugins, see `petlab plugins`: " + names + ")";
}

std::vector<std::string> PluginRegistry::method_names() const {
  std::vector<std::string> names;
  for (const LoadedPlugin& plugin : plugins_)
    for (const auto& entry : std::span(plugin.descriptor->methods, plugin.descriptor->method_count))
      names.emplace_back(entry.name);
  for (const MethodFile& file : method_files_)
    names.push_back(file.method);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());  // opened files are twice
  return names;
}

std::vector<std::string> PluginRegistry::grouping_names() const {
  std::vector<std::string> names;
  for (const LoadedPlugin& plugin : plugins_)
    for (const auto& entry :
         std::span(plugin.descriptor->groupings, plugin.descriptor->grouping_count))
      names.emplace_back(entry.name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<fs::path> plugin_folders(const std::vector<fs::path>& given) {
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder, const std::string& origin) {
    if (!fs::is_directory(folder))
      throw base::Error(base::ErrorKind::config,
                        origin + " names " + folder.string() + ", which is not a folder");
    folders.push_back(folder);
  };
  for (const fs::path& folder : given)
    add(folder, "--plugin-dir");
  if (const char* path = std::getenv("PETLAB_PLUGIN_PATH"); path != nullptr) {
    std::string rest = path;
    while (!rest.empty()) {
      const auto colon = rest.find(':');
      if (const std::string one = rest.substr(0, colon); !one.empty())
        add(one, "PETLAB_PLUGIN_PATH");
      rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) folders.push_back(program.parent_path().parent_path() / "lib" / "petlab");
  return folders;
}

}  // namespace petlab::study
