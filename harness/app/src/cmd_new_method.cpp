#include "command.hpp"
#include "new_method_files.hpp"
#include "petlab/base/atomic_file.hpp"
#include "petlab/base/error.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>

namespace petlab::app {
namespace {

namespace fs = std::filesystem;

void check_name(const std::string& name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const bool is_name = !name.empty() && is_letter(name.front()) && name.back() != '-' &&
                       std::all_of(name.begin(), name.end(), [&](char c) {
                         return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
                       });
  if (!is_name)
    base::throw_config_error("'" + name +
                             "' is no name of a method, expected lower-case letters, digits and "
                             "dashes, a letter first, such as mlp-gain");
}

}  // namespace

int run_new_method(const Arguments& arguments) {
  Usage usage{"new-method",
              "NAME [options]",
              "Writes a whole method with its test into the new folder NAME: in C++, to be built\n"
              "against an installed petlab, or in Python.",
              po::options_description("Options"),
              {"NAME"},
              "  petlab new-method mlp-gain --python\n"
              "  petlab new-method mlp-gain --to ~/my-methods\n"};
  usage.options.add_options()("python", po::bool_switch(), "in Python")(
      "to", text_value(), "folder in which the method's folder is made; default: this one");
  const auto options = parse(usage, arguments);
  if (!options) return kOk;
  const std::string& name = options->text("NAME");
  check_name(name);
  const fs::path folder = (options->has("to") ? fs::path(options->text("to")) : fs::path()) / name;
  if (fs::exists(folder))
    base::throw_config_error(folder.string() +
                             " is there already; expected the name of a method that is new");
  const bool is_python = options->get<bool>("python");
  const auto files = is_python ? python_method_files(name) : cpp_method_files(name);
  std::error_code error;
  fs::create_directories(folder, error);
  for (const auto& [file, text] : files) {
    base::write_file(folder / file, text);
    std::cout << (folder / file).string() << "\n";
  }
  if (is_python)
    std::cout << "petlab describe " << name << " --plugin-dir " << folder.string() << "\n";
  else
    std::cout << "cmake -S " << folder.string() << " -B " << (folder / "build").string()
              << " -DCMAKE_PREFIX_PATH=FOLDER_OF_PETLAB\n";
  return kOk;
}

}  // namespace petlab::app
