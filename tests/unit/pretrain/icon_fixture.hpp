#pragma once

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace petlab::pretrain {

/// A package with a handful of drawings in a folder of its own, removed at the end.
class IconFixture {
 public:
  IconFixture() {
    std::string name = (std::filesystem::temp_directory_path() / "petlab-pretrain-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
    std::filesystem::create_directories(package() / "json");
    write("package.json", {{"name", "@iconify/json"}, {"version", "2.2.535"}});
    // Two free designers, one of the evaluation, one forbidden licence, one of logos.
    add("tabler", "MIT", "UI 24px", {"umbrella", "truck", "airplane", "key-off"});
    add("lucide", "ISC", "UI 24px", {"umbrella", "truck", "airplane", "whale"});
    add("mingcute", "Apache-2.0", "UI 24px", {"umbrella-line", "truck-fill"});
    add("openmoji", "CC-BY-SA-4.0", "Emoji", {"truck", "airplane", "open-mailbox", "whale"});
    add("gridicons", "GPL-2.0-only", "UI 24px", {"truck", "whale"});
    add("logos", "CC0-1.0", "Logos", {"truck", "whale"});
    write_recipe();
    write_emoji_words();
  }
  ~IconFixture() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  IconFixture(const IconFixture&) = delete;
  IconFixture& operator=(const IconFixture&) = delete;

  [[nodiscard]] std::filesystem::path package() const { return root_ / "package"; }
  [[nodiscard]] std::filesystem::path out(const std::string& name) const { return root_ / name; }
  [[nodiscard]] std::filesystem::path emojibase() const { return root_ / "emojibase"; }
  [[nodiscard]] std::filesystem::path emojilib() const { return root_ / "emojilib"; }
  /// A recipe whose one evaluation picture is openmoji's truck: drawn as every other truck is here.
  [[nodiscard]] std::filesystem::path own_recipe() const { return root_ / "recipe"; }
  /// The real one, of Icon-Home.
  [[nodiscard]] static std::filesystem::path recipe() {
    return std::filesystem::path(PETLAB_SOURCE_DIR) / "datasets" / "icon-home";
  }

  /// Adds aliases, (icon, alias) each, to a set that is there.
  void add_aliases(const std::string& set,
                   const std::vector<std::pair<std::string, std::string>>& aliases) const {
    const std::string file = "json/" + set + ".json";
    nlohmann::json content;
    std::ifstream(package() / file) >> content;
    for (const auto& [icon, alias] : aliases)
      content["aliases"][alias] = {{"parent", icon}};
    write(file, content);
  }

 private:
  void write(const std::string& file, const nlohmann::json& content) const {
    std::ofstream(package() / file) << content.dump();
  }

  void write_recipe() const {
    std::filesystem::create_directories(own_recipe());
    std::ofstream(own_recipe() / "manifest.csv")
        << "domain,class,set,icon\nemoji,truck,openmoji,truck\n";
    std::ofstream(own_recipe() / "class_phrases.csv") << "class,phrase\ntruck,truck\n";
    std::ofstream(own_recipe() / "set_families.csv") << "set,designer_family\n";
  }

  void write_emoji_words() const {
    std::filesystem::create_directories(emojibase() / "en");
    std::filesystem::create_directories(emojilib() / "dist");
    std::ofstream(emojibase() / "package.json")
        << R"({"name": "emojibase-data", "version": "17.0.0"})";
    std::ofstream(emojibase() / "en" / "messages.json")
        << R"({"groups": [{"message": "travel & places", "order": 5},
                          {"message": "flags", "order": 9}],
               "subgroups": [{"message": "weather", "order": 59}]})";
    std::ofstream(emojibase() / "en" / "data.json")
        << R"([{"label": "umbrella", "tags": ["rain", "clothing"], "emoji": "\u2602\ufe0f",
                "group": 5, "subgroup": 59},
               {"label": "flag: Italy", "emoji": "I", "group": 9, "subgroup": 59},
               {"label": "regional indicator", "emoji": "R"}])";
    std::ofstream(emojilib() / "package.json") << R"({"name": "emojilib", "version": "4.0.3"})";
    std::ofstream(emojilib() / "dist" / "emoji-en-US.json")
        << R"json({"\u2602": ["umbrella", "rain", ":)", "spring"], "X": ["unknown"]})json";
  }

  void add(const std::string& set, const std::string& licence, const std::string& category,
           const std::vector<std::string>& names) const {
    nlohmann::json icons;
    for (const std::string& name : names)
      icons[name] = {
          {"body", "<path d=\"" + path_of(name) + "\" fill=\"none\" stroke=\"currentColor\"/>"}};
    write("json/" + set + ".json", {{"prefix", set},
                                    {"info",
                                     {{"name", set},
                                      {"author", {{"name", "somebody"}}},
                                      {"license", {{"title", licence}, {"spdx", licence}}},
                                      {"category", category}}},
                                    {"icons", icons},
                                    {"width", 24},
                                    {"height", 24}});
  }

  /// A drawing that depends on the first letter of the name.
  static std::string path_of(const std::string& name) {
    switch (name.front()) {
      case 't':
        return "M2 2h16v6h-16z M4 12v8 M16 12v8";
      case 'u':
        return "M2 12l10 -9l10 9z M12 12v9";
      case 'a':
        return "M2 20l20 -18l-6 20z";
      case 'w':
        return "M3 3v18h18 M8 16v-6 M13 16v-12 M18 16v-3";
      default:
        return "M4 4h8v8h-8z";
    }
  }

  std::filesystem::path root_;
};

}  // namespace petlab::pretrain
