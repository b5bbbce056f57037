#pragma once

#include "petlab/datasets/dataset.hpp"

#include <filesystem>
#include <map>
#include <string>

// What classes are called in prompts.
namespace petlab::datasets {

/// Throws base::Error(data) naming two classes whose names CLIP's tokenizer cannot tell apart: one
/// of them would never be answered. `where` says where the names are from.
void check_class_texts(const Dataset& dataset, const std::string& where);

/// Takes the names of a CSV file with the columns folder and name for prompts, or of a text file
/// (.txt) whose lines are a folder, a blank and the name, as ImageNet's classnames.txt. `twins` has
/// names for folders that the file gives the name of another. Throws base::Error(data) naming the
/// file for: a class of the data set without a name, one with two, a name that is no text, two
/// classes with one text. Classes that the data set has not are noted.
void apply_class_names(Dataset& dataset, const std::filesystem::path& file,
                       const std::map<std::string, std::string>& twins = {});

/// Whether a class's name is an identifier rather than a word: n01440764,
/// 001.Black_footed_Albatross, 17, class_3, c0.
[[nodiscard]] bool looks_like_identifier(const std::string& name);

}  // namespace petlab::datasets
