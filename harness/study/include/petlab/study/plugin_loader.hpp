#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::sdk {
struct GroupingEntry;
struct MethodEntry;
struct MethodFiles;
struct PluginDescriptor;
}  // namespace petlab::sdk

namespace petlab::study {

/// A plugin that passed every check. The library stays loaded until the process ends, so pointers
/// into it are always good.
struct LoadedPlugin {
  std::filesystem::path file;
  const sdk::PluginDescriptor* descriptor = nullptr;
  /// Of a method in a file of its own (sdk::MethodFiles): the plugin that opens it; else empty.
  std::filesystem::path host = {};
};

/// A file that is a method of a plugin for such files. It is opened when the method is first asked
/// for; until then only its name is known.
struct MethodFile {
  std::filesystem::path file;
  std::string method;
  std::filesystem::path host;  ///< the plugin that opens it
  const sdk::MethodFiles* how = nullptr;
};

/// A file named like a plugin that is not used, and why.
struct RefusedPlugin {
  std::filesystem::path file;
  std::string reason;  ///< one sentence
};

/// A file that is not looked at because a folder searched earlier has one of the same name.
struct ShadowedPlugin {
  std::filesystem::path file;
  std::filesystem::path used;
};

struct MethodRef {
  const LoadedPlugin* plugin = nullptr;
  const sdk::MethodEntry* entry = nullptr;
};

struct GroupingRef {
  const LoadedPlugin* plugin = nullptr;
  const sdk::GroupingEntry* entry = nullptr;
};

/// The plugins of this process: found, checked by their files before they are loaded (so that no
/// code of a plugin of another build runs, not even its constructors) and by their descriptors
/// before they are called, and loaded with their own symbol space. Every plugin that is not used is
/// listed with its reason. Beside them, methods in files that a plugin hosts (sdk::MethodFiles).
///
/// Not movable: MethodRef and GroupingRef point into it.
class PluginRegistry {
 public:
  /// Which files to load.
  struct Source {
    std::vector<std::filesystem::path> folders;  ///< all of their petlab_*.so, sorted by name; of
                                                 ///< one name the first folder's; and the
                                                 ///< method files that these plugins host
    std::vector<std::filesystem::path> files;    ///< exactly these, besides
  };

  /// A folder that does not exist is passed over; a file that does not exist is refused.
  explicit PluginRegistry(const Source& source);
  PluginRegistry(const PluginRegistry&) = delete;
  PluginRegistry& operator=(const PluginRegistry&) = delete;

  /// Those with entries, and the method files that were opened so far.
  [[nodiscard]] const std::vector<LoadedPlugin>& plugins() const { return plugins_; }
  /// Sorted by name, opened or not.
  [[nodiscard]] const std::vector<MethodFile>& method_files() const { return method_files_; }
  [[nodiscard]] const std::vector<RefusedPlugin>& refused() const { return refused_; }
  [[nodiscard]] const std::vector<ShadowedPlugin>& shadowed() const { return shadowed_; }

  /// Throws Error(config) with a suggestion; names refused plugins, which may be the reason. Throws
  /// Error(plugin) for a method file that cannot be opened. Not for several threads at once.
  [[nodiscard]] MethodRef method(const std::string& name) const;
  [[nodiscard]] GroupingRef grouping(const std::string& name) const;

  [[nodiscard]] std::vector<std::string> method_names() const;
  [[nodiscard]] std::vector<std::string> grouping_names() const;

 private:
  /// Plugins that host files of an extension.
  struct FileHost {
    std::filesystem::path plugin;
    const sdk::MethodFiles* how = nullptr;
  };

  void load(const std::filesystem::path& file);
  /// The host of the file's extension; null when there is none.
  [[nodiscard]] const FileHost* host_of(const std::filesystem::path& file) const;
  void find_method_files(const Source& source);
  /// Throws Error(plugin) with the reason.
  const LoadedPlugin& open(const MethodFile& file) const;
  [[nodiscard]] std::string why_missing() const;

  mutable std::vector<LoadedPlugin> plugins_;  ///< never moved: room for all is reserved
  std::vector<FileHost> file_hosts_;
  std::vector<MethodFile> method_files_;
  std::vector<RefusedPlugin> refused_;
  std::vector<ShadowedPlugin> shadowed_;
};

/// Where plugins are looked for, in this order: the folders given (--plugin-dir), those of the
/// environment variable PETLAB_PLUGIN_PATH (separated by ':'), `<program>/../lib/petlab`.
/// Throws Error(config) when one of the first two kinds is not a folder.
[[nodiscard]] std::vector<std::filesystem::path> plugin_folders(
    const std::vector<std::filesystem::path>& given);

}  // namespace petlab::study
