#pragma once

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
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
  }
  ~IconFixture() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  IconFixture(const IconFixture&) = delete;
  IconFixture& operator=(const IconFixture&) = delete;

  [[nodiscard]] std::filesystem::path package() const { return root_ / "package"; }
  [[nodiscard]] std::filesystem::path out(const std::string& name) const { return root_ / name; }
  [[nodiscard]] static std::filesystem::path recipe() {
    return std::filesystem::path(PETLAB_SOURCE_DIR) / "datasets" / "icon-home";
  }

 private:
  void write(const std::string& file, const nlohmann::json& content) const {
    std::ofstream(package() / file) << content.dump();
  }

  void add(const std::string& set, const std::string& licence, const std::string& category,
           const std::vector<std::string>& names) const {
    nlohmann::json icons;
    for (const std::string& name : names) {
      const auto length = std::to_string(4 + name.size());
      icons[name] = {{"body", "<path d=\"M2 2h" + length + "v" + length +
                                  "z\" fill=\"none\" stroke=\"currentColor\"/>"}};
    }
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

  std::filesystem::path root_;
};

}  // namespace petlab::pretrain
