#pragma once

#include "assemble.hpp"
#include "petlab/datasets/lists.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

// What is common to the data sets of the literature: known domains and counts, folders spelled in
// many ways.
namespace petlab::datasets {

struct PublishedDomain {
  std::string name;                    ///< as petlab calls it on every machine
  std::vector<std::string> spellings;  ///< keys (name_key) of its folders
  std::vector<std::size_t> counts;     ///< pictures, by each edition; empty where not known
};

struct PublishedSet {
  std::string name;
  std::string layout;  ///< "expected ROOT/{Art, ...}/class/picture.jpg"
  std::vector<PublishedDomain> domains;
  std::vector<std::string> classes;  ///< empty: whatever the folders are called
  /// Folders of published archives between root and domains; searched when the root has no domain.
  std::vector<std::string> inner = {};
};

struct LoadOptions {
  std::vector<std::string> domains = {};
  std::filesystem::path lists = {};  ///< where the lists of the data set are; "" = in its root
  bool fingerprint = true;
  unsigned threads = 0;
  bool leave_out_foreign = false;  ///< as in FolderOptions
};

/// A folder that holds domains of `set`, and notes on how it was found. Throws base::Error(data)
/// that says what was found when there is none, and which folder is perhaps meant.
struct FoundRoot {
  std::filesystem::path root;
  std::vector<std::pair<const PublishedDomain*, std::filesystem::path>> domains;
  std::vector<std::string> notes;
};
[[nodiscard]] FoundRoot find_root(const PublishedSet& set, const std::filesystem::path& root);

/// Reads the folders of the domains; names of domains and classes become the published ones.
[[nodiscard]] Dataset load_published(const PublishedSet& set, const std::filesystem::path& root,
                                     const LoadOptions& options);

/// Reads what `list` names, out of the folders of `root`. Throws base::Error(data) naming file and
/// line of a picture that is not there.
[[nodiscard]] Dataset load_listed(const PublishedSet& set, const FoundRoot& root,
                                  const ImageList& list, const LoadOptions& options);

[[nodiscard]] const PublishedSet& office_home();
[[nodiscard]] const PublishedSet& pacs();
[[nodiscard]] const PublishedSet& office31();
[[nodiscard]] const PublishedSet& vlcs();
[[nodiscard]] const PublishedSet& terra_incognita();
[[nodiscard]] const PublishedSet& domainnet();
[[nodiscard]] const PublishedSet& mini_domainnet();
[[nodiscard]] const PublishedSet& domainnet_126();

/// DomainNet and its two parts, which published lists define.
[[nodiscard]] Dataset load_domainnet(const std::filesystem::path& root, const LoadOptions& options);
[[nodiscard]] Dataset load_mini_domainnet(const std::filesystem::path& root,
                                          const LoadOptions& options);
[[nodiscard]] Dataset load_domainnet_126(const std::filesystem::path& root,
                                         const LoadOptions& options);

/// A manifest of one's own.
[[nodiscard]] Dataset load_csv_manifest(const std::filesystem::path& file,
                                        const LoadOptions& options);

}  // namespace petlab::datasets
