#pragma once

#include "petlab/pretrain/names.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace petlab::pretrain {

/// One picture of the pretraining pool, as the package names it.
struct PoolIcon {
  std::string set;
  std::string name;
  std::string family;   ///< the designer: sets that share drawings share it
  std::string subject;  ///< what is drawn, in words; synonyms brought to one form
  bool is_emoji = false;
  std::string set_title;               ///< the set's name for people, in lower case
  std::vector<std::string> own_names;  ///< what the set itself calls the thing; aliases as well
  std::vector<std::string> topics;     ///< where the set's author sorted it
};

/// Which pictures pretraining may see. The designers of the evaluation pictures give only pictures
/// whose names hold no word of any class phrase; the designers listed in pool.cpp, who drew no
/// evaluation picture, give everything. A designer nobody thought of counts as one of the former.
/// An alias counts as a name: "bin", also called "trash-can", is a picture of a trash can.
class PoolRule {
 public:
  /// Reads manifest.csv, class_phrases.csv and set_families.csv of the evaluation's recipe. Throws
  /// base::Error(data) when a designer who should give everything drew an evaluation picture.
  explicit PoolRule(const std::filesystem::path& recipe_dir);

  /// The designer family of a set; a set nobody listed is its own family.
  [[nodiscard]] std::string family_of(const std::string& set) const;

  /// True when the family gives everything, class words included.
  [[nodiscard]] bool is_free(const std::string& family) const;

  [[nodiscard]] bool allows(const std::string& set, const std::string& icon) const;

  [[nodiscard]] const ForbiddenWords& forbidden() const { return forbidden_; }
  [[nodiscard]] const std::set<std::string>& evaluation_families() const {
    return evaluation_families_;
  }

 private:
  std::map<std::string, std::string> families_;
  std::set<std::string> evaluation_families_;
  ForbiddenWords forbidden_;
};

/// The pictures to pretrain on, sorted by set and name; nothing is rendered. Left out, besides what
/// the rule forbids: sets whose licence does not allow it, logos, flags, weather, file types,
/// hidden and animated icons; of the drawings of one subject by one family all but a few, and
/// subjects that fewer than two families drew. Throws base::Error(data) for a missing package.
[[nodiscard]] std::vector<PoolIcon> select_pool(const std::filesystem::path& package_dir,
                                                const PoolRule& rule);

}  // namespace petlab::pretrain
