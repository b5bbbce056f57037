#pragma once

#include "petlab/base/sha256.hpp"
#include "test_support.hpp"

#include <map>
#include <string>
#include <vector>

namespace petlab::datasets {

/// Writes a small package of icon sets and a recipe that uses it.
class IconPackage : public TemporaryFolder {
 protected:
  void SetUp() override {
    TemporaryFolder::SetUp();
    write_package("2.2.535");
    write("package/json/thin.json",
          set_json("thin", "MIT", "MIT", "fill='none' stroke='currentColor'"));
    write("package/json/fat.json",
          set_json("fat", "CC BY 4.0", "CC-BY-4.0", "fill='currentColor' stroke='none'"));
    write_recipe({"line,alarm clock,thin,alarm", "line,cup,thin,cup", "solid,alarm clock,fat,alarm",
                  "solid,cup,fat,cup"});
  }

  void write_package(const std::string& version, const std::string& name = "@iconify/json") const {
    write("package/package.json", "{\"name\": \"" + name + "\", \"version\": \"" + version + "\"}");
  }

  static std::string set_json(const std::string& prefix, const std::string& licence,
                              const std::string& spdx, const std::string& style) {
    const auto body = [&](const std::string& shape) {
      return "{\"body\": \"<g " + style + ">" + shape + "</g>\"}";
    };
    return "{\"prefix\": \"" + prefix + "\", \"info\": {\"name\": \"The " + prefix +
           " set\", \"author\": {\"name\": \"A | B\", \"url\": \"https://example.org/" + prefix +
           "\"}, \"license\": {\"title\": \"" + licence + "\", \"spdx\": \"" + spdx +
           "\", \"url\": \"https://example.org/licence\"}, \"palette\": false}, \"icons\": {"
           "\"alarm\": " +
           body("<circle cx='12' cy='13' r='7'/><path d='M3 6l3-3'/>") +
           ", \"cup\": " + body("<path d='M5 8h11v8a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4z'/>") +
           ", \"cup-again\": " + body("<path d='M5 8h11v8a4 4 0 0 1-4 4H9a4 4 0 0 1-4-4z'/>") +
           ", \"arrow\": {\"body\": \"<path d='M4 4h8v2z'/>\", \"width\": 32, \"left\": 2, "
           "\"hidden\": true}}, \"aliases\": {\"beaker\": {\"parent\": \"cup\"}, "
           "\"turned\": {\"parent\": \"arrow\", \"rotate\": 1}, "
           "\"mirrored\": {\"parent\": \"arrow\", \"hFlip\": true}, "
           "\"twice\": {\"parent\": \"turned\", \"rotate\": 1}, "
           "\"lost\": {\"parent\": \"nowhere\"}, \"loop\": {\"parent\": \"loop\"}}, "
           "\"width\": 24, \"height\": 24, \"categories\": {\"Things\": [\"alarm\", \"cup\"]}}";
  }

  void write_recipe(const std::vector<std::string>& lines, const std::string& version = "7") const {
    std::string csv = "domain,class,set,icon\n";
    std::map<std::string, int> counts;
    for (const auto& line : lines) {
      csv += line + "\n";
      ++counts[line.substr(0, line.find(','))];
    }
    const auto file = write("recipe/manifest.csv", csv);
    std::string domains;
    for (const auto& [domain, count] : counts) {
      domains += (domains.empty() ? "\"" : ", \"") + domain + "\": " + std::to_string(count);
    }
    write("recipe/manifest.json", "{\"version\": \"" + version +
                                      "\", \"package_version\": \"2.2.535\", "
                                      "\"picture_size\": 96, \"pictures\": " +
                                      std::to_string(lines.size()) + ", \"domains\": {" + domains +
                                      "}, \"sha256\": \"" + base::sha256_of_file(file) + "\"}");
  }

  [[nodiscard]] std::filesystem::path package() const { return root() / "package"; }
  [[nodiscard]] std::filesystem::path recipe() const { return root() / "recipe"; }
  [[nodiscard]] std::filesystem::path out() const { return root() / "out"; }
};

}  // namespace petlab::datasets
