#pragma once

#include "petlab/study/protocol.hpp"

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

namespace petlab::study {

/// The sections [row.LABEL] and [method.NAME] of a study, while its settings are read. Everything
/// throws Error(config) that begins with where the setting was written.
class RowSections {
 public:
  /// Rows for those of `sections` that are about one, in that order. `file` is the protocol's name
  /// in messages.
  RowSections(const std::vector<std::string>& sections, const std::string& file);

  /// Takes a setting of section "row.LABEL" or "method.NAME".
  void take(const std::string& section, const std::string& key, const Setting& setting);

  /// The rows, checked, each with what the section of its method says and it does not.
  [[nodiscard]] std::vector<Row> rows() const;

  /// Where each [method.NAME] was written, by the method's name.
  [[nodiscard]] std::map<std::string, std::string> method_origins() const;

 private:
  struct ReadRow {
    Row row;
    bool has_sharing = false;
  };
  /// What [method.NAME] says: for every row of the method.
  struct MethodText {
    std::string origin;
    std::map<std::string, std::string> training;
    std::map<std::string, std::string> options;
  };

  static void take_row_key(ReadRow& read, const std::string& section, const std::string& key,
                           const Setting& setting);
  static void take_method_key(MethodText& method, const std::string& section,
                              const std::string& key, const Setting& setting);

  std::vector<ReadRow> rows_;
  std::unordered_map<std::string, std::size_t> places_;  // by label
  std::map<std::string, MethodText> methods_;
};

/// Puts a value at a key of a row: a setting of row scope, or option.NAME. Throws Error(config) for
/// a value of the wrong kind.
void set_row_value(Row& row, const std::string& key, const Setting& setting);

/// Refuses a key that its section does not know, with the known one that is most like it.
[[noreturn]] void refuse_unknown_key(const Setting& setting, const std::string& section,
                                     const std::string& key, const std::vector<std::string>& known);

}  // namespace petlab::study
