#include "petlab/study/new_study.hpp"

#include "ini_line.hpp"

namespace petlab::study {
namespace {

std::string section(const std::string& name,
                    const std::vector<std::pair<std::string, std::string>>& keys) {
  std::string text = "\n[" + name + "]\n";
  for (const auto& [key, value] : keys)
    text += key + " = " + ini_value(value) + "\n";
  return text;
}

std::string row(const std::string& label, const std::string& method, const std::string& sharing) {
  return "\n[row." + label + "]\nmethod = " + method + "\nsharing = " + sharing + "\n";
}

}  // namespace

std::string new_study_text(const NewStudy& study) {
  std::string text = "# A study of petlab: " + study.description +
                     ".\n"
                     "# petlab plan FILE checks it, petlab run FILE runs it, petlab describe "
                     "--keys lists all keys.\n"
                     "\n[study]\nseeds = 1,2,3\n";
  text += section("dataset", study.dataset);
  text +=
      "# Of each class of each domain this share trains, the rest tests. Also: split = shots with\n"
      "# train-shots = 4, or split = list with lists of your own.\n"
      "split = percent\ntrain-fraction = 0.1\n";
  text += section("backbone", study.backbone);
  text +=
      "\n# The same for all methods. Learning rates are those of each method's publication unless\n"
      "# [method.NAME] or a row says learning-rate; [search] finds them on held-out images.\n"
      "[train]\nepochs = 5\nbatch = 8\n"
      "\n# One row of the table each: a method, and which tasks share an adapter: joint, "
      "per-task,\n"
      "# joint+specific, grouped, grouped+specific. petlab plugins lists methods and groupings.\n";
  for (const std::string& method : study.methods) {
    text += row(method + "-joint", method, "joint");
    if (method == "mmap" && study.domains > 2)
      text += row(method + "-groups", method, "grouped+specific") + "grouping = gradient\n";
  }
  return text;
}

}  // namespace petlab::study
