#include "attribution.hpp"

#include <algorithm>
#include <map>

namespace petlab::datasets::tools {
namespace {

std::string cell(const std::string& text) {
  if (text.empty()) return "-";
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string link(const std::string& text, const std::string& url) {
  std::string markdown = cell(text);
  if (url.empty()) return markdown;
  markdown.insert(markdown.begin(), '[');
  return markdown.append("](").append(url).append(")");
}

}  // namespace

std::string attribution_text(const std::vector<SetCredit>& credits) {
  auto sorted = credits;
  std::sort(sorted.begin(), sorted.end(),
            [](const auto& a, const auto& b) { return a.info.prefix < b.info.prefix; });
  std::map<std::string, std::size_t> by_licence;
  std::size_t total = 0;
  for (const auto& credit : sorted) {
    by_licence[cell(credit.info.licence.spdx)] += credit.pictures;
    total += credit.pictures;
  }
  std::string text =
      "# Attribution\n\n"
      "The images in this folder were rendered from the drawings of " +
      std::to_string(sorted.size()) + " icon sets in the npm package " + kIconifyPackage + " " +
      kIconifyVersion +
      ". They are the work of the\nauthors below, under the licences below; petlab's own licence "
      "does not cover them.\n\n"
      "**When you pass images on** (also in a paper or a slide): those under CC-BY and CC-BY-SA "
      "licences ask for the\nauthor's name, a link to the licence, and a note that the drawing was "
      "changed (here: rendered to pixels on white);\nCC-BY-SA also asks that what you make from "
      "them carries the same licence. MIT, ISC, BSD, Apache and OFL ask that\ntheir licence text "
      "goes along. CC0 and Unlicense ask for nothing.\n\n"
      "| licence | images |\n|---|---:|\n";
  for (const auto& [licence, count] : by_licence) {
    text += "| " + licence + " | " + std::to_string(count) + " |\n";
  }
  text += "| all | " + std::to_string(total) +
          " |\n\n"
          "| set | name | author | licence | SPDX | images |\n|---|---|---|---|---|---:|\n";
  for (const auto& [info, pictures] : sorted) {
    text += "| " + cell(info.prefix) + " | " + cell(info.name) + " | " +
            link(info.author, info.author_url) + " | " +
            link(info.licence.title, info.licence.url) + " | " + cell(info.licence.spdx) + " | " +
            std::to_string(pictures) + " |\n";
  }
  return text;
}

}  // namespace petlab::datasets::tools
