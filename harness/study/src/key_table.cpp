#include "petlab/study/key_table.hpp"

#include "petlab/engine/setting_table.hpp"

#include <string_view>

namespace petlab::study {
namespace {

/// Lines of one section; the section's name stands in its first.
class Section {
 public:
  Section(std::string& text, std::string_view name)
      : text_(text), name_("`[" + std::string(name) + "]`") {}

  void line(const std::string& key, const std::string& value, const std::string& otherwise) {
    text_ += "| " + name_ + (name_.empty() ? "" : " ") + "| `" + key + "` | " + value + " | " +
             otherwise + (otherwise.empty() ? "" : " ") + "|\n";
    name_.clear();
  }

 private:
  std::string& text_;
  std::string name_;
};

std::string value_of(const engine::SettingEntry& entry) {
  std::string text = std::string(entry.help) + " (";
  if (entry.choices.empty()) {
    text += entry.values;
    if (*entry.unit != '\0') text += ", in " + std::string(entry.unit);
  } else {
    for (std::size_t i = 0; i < entry.choices.size(); ++i)
      text += (i == 0 ? "`" : ", `") + entry.choices[i] + "`";
  }
  return text + ")";
}

std::string default_of(const engine::SettingEntry& entry) {
  if (*entry.default_text != '\0') return entry.default_text;
  return "`" + entry.text(engine::RunSettings{}) + "`";
}

void add_row_settings(Section& section) {
  for (const engine::SettingEntry& entry : engine::setting_table())
    if (entry.scope == engine::SettingScope::row)
      section.line(entry.name, value_of(entry), default_of(entry));
}

}  // namespace

std::string key_table() {
  std::string text = "| section | key | value | default |\n|---|---|---|---|\n";
  Section study(text, "study");
  study.line("name", "name of the study in the store",
             "the file's name; with `--with`, `SETTING/TABLE`");
  study.line("description", "a sentence", "");
  study.line("seeds", "`1,2,5` or `1-5`; a seed decides split, start, order and grouping", "`1`");
  study.line("equivalence-margin",
             "percentage points that a row may be below the best and be called equivalent to it "
             "(≈ in reports)",
             "no row is");
  for (const char* name : {"dataset", "backbone", "train"}) {
    Section section(text, name);
    for (const engine::SettingEntry& entry : engine::setting_table())
      if (entry.scope == engine::SettingScope::study && std::string_view(entry.section) == name)
        section.line(entry.name, value_of(entry), default_of(entry));
  }
  Section method(text, "method.NAME");
  add_row_settings(method);
  method.line("option.X", "option X of the method; all of these for every row of the method",
              "its schema's");
  std::string sharings;
  for (const std::string& sharing : engine::value_names<engine::Sharing>())
    sharings += (sharings.empty() ? "`" : ", `") + sharing + "`";
  Section row(text, "row.LABEL");
  row.line("method", "name of a method (`petlab plugins`)", "must be there");
  row.line("sharing", sharings, "must be there");
  row.line("grouping", "strategy, exactly where the sharing has groups", "");
  row.line("grouping.X", "option X of the grouping", "its schema's");
  row.line("KEY", "any key of `[method.NAME]`, for this row alone", "the method's section");
  return text;
}

}  // namespace petlab::study
