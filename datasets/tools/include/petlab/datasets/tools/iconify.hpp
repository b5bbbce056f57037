#pragma once

#include "petlab/datasets/icon_home.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace petlab::datasets::tools {

struct IconLicence {
  std::string title;
  std::string spdx;  ///< empty when the set states none
  std::string url;
};

/// The `info` block of a set, as far as petlab uses it.
struct IconSetInfo {
  std::string prefix;  ///< the set's short name, e.g. "lucide"
  std::string name;    ///< the name for people, e.g. "Lucide"
  std::string author;
  std::string author_url;
  std::string version;   ///< of the designer's own release; may be empty
  std::string category;  ///< e.g. "UI 24px", "Emoji"; may be empty
  std::vector<std::string> tags;
  IconLicence licence;
  bool palette = false;  ///< true when the drawings carry their own colours
};

/// One drawing. `body` is the inside of an <svg> element; the view box is in drawing units.
struct Icon {
  std::string name;
  std::string body;
  double left = 0;
  double top = 0;
  double width = 16;
  double height = 16;
  bool hidden = false;  ///< withdrawn by its designer, kept for those who use it already
};

/// One icon set of the package, read completely. Immutable and so safe to share between threads.
class IconSet {
 public:
  /// Reads `package_dir/json/<set>.json`. Throws base::Error(data) that names the set when the file
  /// is missing or not a valid set.
  [[nodiscard]] static IconSet read(const std::filesystem::path& package_dir,
                                    const std::string& set);

  [[nodiscard]] const IconSetInfo& info() const noexcept { return info_; }

  /// The set's own drawings by name, without aliases.
  [[nodiscard]] const std::map<std::string, Icon>& icons() const noexcept { return icons_; }

  /// Further names of drawings, with their turns and flips already applied to the body. Aliases
  /// whose parent is missing are left out.
  [[nodiscard]] const std::map<std::string, Icon>& aliases() const noexcept { return aliases_; }

  /// Category -> names of icons, as the set's author sorted them; empty for most sets.
  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& categories() const noexcept {
    return categories_;
  }

  /// The drawing or alias of that name; nullptr when the set has none.
  [[nodiscard]] const Icon* find(const std::string& name) const;

  /// The drawing or alias of that name; throws base::Error(data) naming set and icon otherwise.
  [[nodiscard]] const Icon& icon(const std::string& name) const;

 private:
  IconSetInfo info_;
  std::map<std::string, Icon> icons_;
  std::map<std::string, Icon> aliases_;
  std::map<std::string, std::vector<std::string>> categories_;
};

/// Names of all sets of an unpacked package, sorted. Throws base::Error(data) when there is none.
[[nodiscard]] std::vector<std::string> list_icon_sets(const std::filesystem::path& package_dir);

/// The `version` of the unpacked package. Throws base::Error(data) that says how to get the package
/// when the folder is not there, has no package.json or is another package.
[[nodiscard]] std::string icon_package_version(const std::filesystem::path& package_dir);

/// Throws base::Error(data) unless the unpacked package is version kIconifyVersion.
void check_icon_package(const std::filesystem::path& package_dir);

/// A complete, square SVG document of the drawing: centred, aspect kept, `currentColor` = `color`
/// (any CSS colour).
[[nodiscard]] std::string icon_svg(const Icon& icon, const std::string& color = "black");

}  // namespace petlab::datasets::tools
