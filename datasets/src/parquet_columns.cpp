#include "parquet_columns.hpp"

#include "petlab/base/error.hpp"
#include "petlab/base/json_text.hpp"
#include "petlab/base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace petlab::datasets {
namespace {

using nlohmann::json;
using Columns = std::vector<ParquetColumn>;

/// The features of the metadata by name; empty where there is none.
std::map<std::string, json> features_of(const ParquetReader& reader, const std::string& where) {
  const std::optional<std::string> text = reader.metadata("huggingface");
  if (!text) return {};
  const json whole = base::parse_json(*text, where + ": its metadata 'huggingface'");
  const json* features = &whole;
  for (const char* key : {"info", "features"}) {
    if (!features->is_object() || !features->contains(key)) return {};
    features = &features->at(key);
  }
  if (!features->is_object()) return {};
  return features->get<std::map<std::string, json>>();
}

bool is_feature(const json& feature, const char* type) {
  return feature.is_object() && feature.contains("_type") && feature.at("_type") == type;
}

std::optional<std::size_t> find(const Columns& columns, const std::string& path) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const ParquetColumn& one) { return one.path == path; });
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

std::string paths_of(const Columns& columns) {
  std::vector<std::string> paths;
  for (const ParquetColumn& column : columns)
    paths.push_back(base::escaped(column.path));
  return base::joined(paths);
}

/// The names of a feature ClassLabel. Throws for names that are no list of different texts.
std::vector<std::string> class_names_of(const json& feature, const std::string& column,
                                        const std::string& where) {
  std::vector<std::string> names;
  const json list = feature.value("names", json::array());
  for (const json& name : list)
    if (name.is_string()) names.push_back(name.get<std::string>());
  if (!list.is_array() || names.empty() || names.size() != list.size())
    base::throw_data_error(where + ": the metadata has no names of the classes of column '" +
                           column + "', expected a list of texts");
  std::set<std::string> seen;
  for (const std::string& name : names)
    if (!seen.insert(name).second)
      base::throw_data_error(where + ": the metadata names class '" + base::escaped(name) +
                             "' of column '" + column + "' twice");
  return names;
}

/// The only one of some columns, or the one that has the first of the usual names.
std::string chosen(const std::vector<std::string>& found, const std::vector<std::string>& usual,
                   const std::string& what, const Columns& columns, const std::string& where) {
  if (found.size() == 1) return found.front();
  for (const std::string& name : usual)
    if (std::find(found.begin(), found.end(), name) != found.end()) return name;
  if (found.empty())
    base::throw_data_error(where + " has no column of " + what + ", only " + paths_of(columns));
  base::throw_data_error(where + " has several columns of " + what + " (" + base::joined(found) +
                         "), expected one, or one called '" + usual.front() + "'");
}

/// Names of the columns that hold images: a struct with bytes, or plain bytes.
std::string image_column(const Columns& columns, const std::map<std::string, json>& features,
                         const std::string& where) {
  static const std::vector<std::string> usual{"image", "img", "picture", "jpg", "png", "webp"};
  std::vector<std::string> found;
  for (const auto& [name, feature] : features)
    if (is_feature(feature, "Image")) found.push_back(name);
  for (const ParquetColumn& column : columns) {
    if (!features.empty() || column.type != ParquetColumn::Type::bytes || column.is_text) continue;
    if (column.path.ends_with(".bytes"))
      found.push_back(column.path.substr(0, column.path.size() - 6));
    else if (std::find(usual.begin(), usual.end(), column.path) != usual.end())
      found.push_back(column.path);
  }
  return chosen(found, usual, "images (a struct of bytes and path)", columns, where);
}

bool is_domain(const std::string& name) {
  return name == "domain" || name == "domains";
}

/// A column whose values name something, by its feature or as text.
NamedColumn named_column(const std::string& name, const Columns& columns,
                         const std::map<std::string, json>& features, const std::string& where) {
  const std::optional<std::size_t> index = find(columns, name);
  if (!index || columns[*index].type == ParquetColumn::Type::other)
    base::throw_data_error(where + ": column '" + name + "' holds no numbers and no text, only " +
                           paths_of(columns) + " are there");
  NamedColumn column{*index, name};
  if (columns[*index].type == ParquetColumn::Type::bytes) return column;
  const auto feature = features.find(name);
  if (feature == features.end() || !is_feature(feature->second, "ClassLabel"))
    base::throw_data_error(where + ": column '" + name +
                           "' holds numbers, and the metadata 'huggingface' does not say what they "
                           "are called: expected a feature ClassLabel with names, or text");
  column.names = class_names_of(feature->second, name, where);
  return column;
}

std::string label_column(const Columns& columns, const std::map<std::string, json>& features,
                         const std::string& where) {
  static const std::vector<std::string> usual{"label",      "labels",   "class",
                                              "class_name", "category", "target"};
  std::vector<std::string> found;
  for (const auto& [name, feature] : features)
    if (is_feature(feature, "ClassLabel") && !is_domain(name)) found.push_back(name);
  if (found.empty())
    for (const ParquetColumn& column : columns)
      if (std::find(usual.begin(), usual.end(), column.path) != usual.end())
        found.push_back(column.path);
  return chosen(found, usual, "labels", columns, where);
}

}  // namespace

ParquetColumns find_parquet_columns(const ParquetReader& reader, const std::string& where) {
  const Columns columns = reader.columns();
  const std::map<std::string, json> features = features_of(reader, where);
  ParquetColumns result;
  const std::string image = image_column(columns, features, where);
  const std::optional<std::size_t> bytes = find(columns, image + ".bytes");
  result.image_bytes = bytes ? image + ".bytes" : image;
  const std::optional<std::size_t> stored = find(columns, result.image_bytes);
  if (!stored || columns[*stored].type != ParquetColumn::Type::bytes)
    base::throw_data_error(where + ": column '" + image + "' holds no bytes of images, only " +
                           paths_of(columns) + " are there");
  result.image_path = find(columns, image + ".path");
  if (result.image_path && columns[*result.image_path].type != ParquetColumn::Type::bytes)
    result.image_path.reset();
  result.label = named_column(label_column(columns, features, where), columns, features, where);
  for (const ParquetColumn& column : columns)
    if (is_domain(column.path)) {
      result.domain = named_column(column.path, columns, features, where);
      break;
    }
  return result;
}

}  // namespace petlab::datasets
