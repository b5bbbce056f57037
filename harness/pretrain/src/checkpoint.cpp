#include "checkpoint.hpp"

#include "petlab/base/error.hpp"
#include "petlab/clip/safetensors.hpp"

#include <ATen/ATen.h>

#include <fstream>
#include <map>

namespace petlab::pretrain {

void save_checkpoint(Trainer& trainer, const Account& account, const std::filesystem::path& file) {
  std::vector<sdk::NamedTensor> state = trainer.optimizer().state();
  for (const sdk::NamedTensor& entry : trainer.state())
    state.push_back(entry);
  state.push_back({"account", at::tensor({account.seconds, account.best_accuracy}, at::kDouble)});
  clip::write_safetensors(state, file);
}

Account load_checkpoint(Trainer& trainer, const std::filesystem::path& file) {
  const std::vector<sdk::NamedTensor> state = clip::read_safetensors(file);
  for (const sdk::NamedTensor& entry : state) {
    if (entry.name != "account") continue;
    trainer.optimizer().load_state(state);
    trainer.load_state(state);
    return {.seconds = entry.value[0].item<double>(),
            .best_accuracy = entry.value[1].item<double>()};
  }
  throw base::Error(base::ErrorKind::data,
                    file.string() + " has no 'account'; it is no checkpoint of petlab pretrain");
}

void save_options(const PretrainOptions& options, const std::filesystem::path& file) {
  std::ofstream out(file);
  for (const auto& [name, value] : option_values(options))
    out << name << " = " << value << "\n";
  if (!out) throw base::Error(base::ErrorKind::data, "cannot write " + file.string());
}

void check_options(const PretrainOptions& options, const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in)
    throw base::Error(base::ErrorKind::config, "cannot open " + file.string() +
                                                   ", which says what the training was made " +
                                                   "with; start afresh without --resume");
  std::map<std::string, std::string> earlier;
  for (std::string line; std::getline(in, line);)
    if (const auto sign = line.find(" = "); sign != std::string::npos)
      earlier[line.substr(0, sign)] = line.substr(sign + 3);
  for (const auto& [name, value] : option_values(options))
    if (earlier[name] != value)
      throw base::Error(base::ErrorKind::config, "the training in " + file.parent_path().string() +
                                                     " was begun with " + name + " " +
                                                     earlier[name] + ", not " + value +
                                                     "; say the same, or start in another folder");
}

}  // namespace petlab::pretrain
