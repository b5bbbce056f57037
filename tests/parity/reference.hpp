#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace petlab::parity {

/// A fresh, empty folder in the build tree.
std::filesystem::path fresh_folder(const std::string& name);

/// Runs tests/parity/<script> with the reference Python, in `folder` if one is given. Throws
/// std::runtime_error with the script's output when it fails or when there is no such Python.
void run_reference(const std::string& script, const std::vector<std::string>& arguments,
                   const std::filesystem::path& folder = {});

/// A folder with a small vocabulary, trained by petlab, for models that need some tokenizer.
const std::filesystem::path& small_tokenizer();

}  // namespace petlab::parity
