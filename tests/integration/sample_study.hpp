#pragma once

#include <filesystem>
#include <string>

namespace petlab::tests {

// Rows of studies.
inline constexpr const char* kZeroShotRow =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n";
inline constexpr const char* kProbeRows =
    "[row.zero-shot]\nmethod = zero-shot\nsharing = joint\n"
    "[row.probe]\nmethod = linear-probe\nsharing = joint\n";
inline constexpr const char* kVptRow = "[row.vpt]\nmethod = vpt-deep\nsharing = joint\n";
inline constexpr const char* kLongRow = "[row.long]\nmethod = vpt-deep\nsharing = joint\n";

/// Writes root/domain/class/picture for 3 domains, 4 classes and `per_class` pictures of each:
/// noisy coloured shapes, as JPEG and PNG of various sizes.
void write_pictures(const std::filesystem::path& root, int per_class);

/// Writes a CLIP of two small layers a tower with random weights, and its vocabulary.
void write_backbone(const std::filesystem::path& folder);

/// A folder of its own with pictures, backbone and caches, removed in the end.
class Workshop {
 public:
  Workshop();
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

  /// Writes study.ini: the common sections, `train` in [train], and `rows`.
  [[nodiscard]] std::string write_study(const std::string& rows,
                                        const std::string& train = "epochs = 2\nbatch = 2") const;

 private:
  std::filesystem::path folder_;
};

}  // namespace petlab::tests
