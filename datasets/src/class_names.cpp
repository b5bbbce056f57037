#include "class_names.hpp"

#include "names.hpp"
#include "petlab/base/error.hpp"
#include "petlab/base/sha256.hpp"
#include "petlab/base/suggestion.hpp"
#include "petlab/base/text.hpp"
#include "petlab/datasets/csv.hpp"
#include "text_lines.hpp"

#include <algorithm>
#include <map>
#include <string_view>

namespace petlab::datasets {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// How many digits `text` begins with.
std::size_t digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_digit) -
                                  text.begin());
}

/// The lines of a text file as rows of folder and name.
std::vector<CsvRow> class_lines(const std::filesystem::path& file) {
  std::vector<CsvRow> rows;
  for (const TextLine& line : read_lines(file)) {
    const std::size_t blank = line.text.find(' ');
    if (blank == std::string::npos)
      base::throw_data_error(base::printable(file) + " line " + std::to_string(line.number) +
                             ": '" + base::escaped(line.text.substr(0, 80)) +
                             "' is no folder with the name of its class behind a blank");
    rows.push_back(
        {{line.text.substr(0, blank), line.text.substr(line.text.find_first_not_of(' ', blank))},
         line.number});
  }
  return rows;
}

/// Names for classes whose name another class has too.
void part_twins(Dataset& dataset, const std::map<std::string, std::string>& twins) {
  std::map<std::string, std::size_t> uses;
  for (const std::string& name : dataset.display_names)
    ++uses[prompt_words(name)];
  for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
    const auto twin = twins.find(dataset.classes[c]);
    std::string& name = dataset.display_names[c];
    if (twin == twins.end() || uses.at(prompt_words(name)) < 2) continue;
    dataset.notes.push_back("class '" + dataset.classes[c] + "' is called '" + twin->second +
                            "' in prompts: another class is '" + name + "' too");
    name = twin->second;
  }
}

}  // namespace

void check_class_texts(const Dataset& dataset, const std::string& where) {
  std::map<std::string, std::size_t> by_words;
  for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
    const std::string words = prompt_words(dataset.display_names[c]);
    if (words.empty())
      base::throw_data_error("class '" + dataset.classes[c] + "' in " + where +
                             " has a name of blanks alone: give it a name");
    const auto [twin, fresh] = by_words.emplace(words, c);
    if (!fresh)
      base::throw_data_error(
          "classes '" + dataset.classes[twin->second] + "' and '" + dataset.classes[c] + "' in " +
          where +
          " are one text in a prompt (case, blanks, '_' and the Unicode form tell "
          "nothing): give one class one name");
  }
}

void apply_class_names(Dataset& dataset, const std::filesystem::path& file,
                       const std::map<std::string, std::string>& twins) {
  std::map<std::string, std::pair<std::string, std::size_t>> names;
  std::vector<std::string> unknown;
  const std::vector<CsvRow> rows =
      file.extension() == ".txt"
          ? class_lines(file)
          : read_csv_rows(file, {.required = {"folder", "name"}, .optional = {}, .others = true});
  for (const CsvRow& row : rows) {
    const std::string where = base::printable(file) + " line " + std::to_string(row.line);
    const std::string& folder = row.values[0];
    const std::string& name = row.values[1];
    if (name.empty() || !base::is_plain_text(name))
      base::throw_data_error(where + ": the name of class '" + base::escaped(folder) + "' is " +
                             (name.empty() ? "empty" : "'" + base::escaped(name) + "', no text") +
                             ", expected what stands for it in prompts");
    const auto [first, fresh] = names.emplace(folder, std::pair(name, row.line));
    if (!fresh)
      base::throw_data_error(where + ": class '" + base::escaped(folder) +
                             "' has a name already, in line " +
                             std::to_string(first->second.second));
    if (std::find(dataset.classes.begin(), dataset.classes.end(), folder) == dataset.classes.end())
      unknown.push_back(folder);
  }
  const std::vector<std::string> before = dataset.display_names;
  for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
    const auto found = names.find(dataset.classes[c]);
    if (found == names.end())
      base::throw_data_error(
          base::printable(file) + " has no name for class '" + dataset.classes[c] + "'" +
          (unknown.empty() ? std::string(": every class of the data set needs one")
                           : base::did_you_mean(dataset.classes[c], unknown)));
    dataset.display_names[c] = found->second.first;
  }
  part_twins(dataset, twins);
  check_class_texts(dataset, base::printable(file));
  if (!unknown.empty())
    dataset.notes.push_back(base::printable(file) + " names " + std::to_string(unknown.size()) +
                            (unknown.size() == 1 ? " class" : " classes") +
                            " that the data set has not, such as '" +
                            base::escaped(unknown.front()) + "'");
  // Names that the folders say as well make no other data set.
  if (dataset.display_names == before) return;
  base::Sha256 hash;
  hash.update_text("petlab class names 1");
  for (std::size_t c = 0; c < dataset.classes.size(); ++c) {
    hash.update_text(dataset.classes[c]);
    hash.update_text(dataset.display_names[c]);
  }
  dataset.class_names_hash = hash.finish_hex();
}

bool looks_like_identifier(const std::string& name) {
  const std::string text = lower_case(name);
  const std::size_t leading = digits(text);
  if (leading == text.size()) return true;  // 17
  constexpr std::string_view kParts = "._- ";
  if (leading > 0)  // 001.Black_footed_Albatross, but not 3D_printer
    return kParts.find(text[leading]) != std::string_view::npos;
  for (const std::string_view word :
       {"class", "cls", "label", "category", "cat", "id", "c", "n", "s", "folder", "object"}) {
    if (!text.starts_with(word)) continue;
    std::string_view rest = std::string_view(text).substr(word.size());
    if (!rest.empty() && kParts.find(rest.front()) != std::string_view::npos) rest.remove_prefix(1);
    if (!rest.empty() && digits(rest) == rest.size()) return true;
    // n01440764-tench, n01440764_tench
    if (word == "n" && digits(rest) == 8 && rest.size() > 8 &&
        kParts.find(rest[8]) != std::string_view::npos)
      return true;
  }
  return false;
}

}  // namespace petlab::datasets
