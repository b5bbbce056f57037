#include "python_method.hpp"

#include "convert.hpp"

#include <pybind11/stl.h>

#include <utility>
#include <vector>

namespace petlab::plugins::python {
namespace {

/// An object with parameters() and changes(), perhaps with losses.
class PythonAdapter final : public sdk::TrainingAdapter {
 public:
  PythonAdapter(std::string file, Object adapter)
      : file_(std::move(file)), adapter_(std::move(adapter)) {}

  [[nodiscard]] std::vector<sdk::NamedTensor> parameters() const override {
    return in_python(
        file_, [&] { return to_named_tensors(adapter_->attr("parameters")(), "parameters()"); });
  }
  [[nodiscard]] sdk::BackboneChanges changes(const sdk::ChangeRequest& request) const override {
    return in_python(file_, [&] {
      return to_changes(adapter_->attr("changes")(from_request(request)), request);
    });
  }
  [[nodiscard]] std::uint32_t step_tensors() const override {
    return in_python(
        file_, [&] { return petlab_module().attr("_part")(*adapter_).cast<std::uint32_t>(); });
  }
  [[nodiscard]] at::Tensor loss(const sdk::StepTensors& step) const override {
    return in_python(file_,
                     [&] { return to_tensor(adapter_->attr("loss")(from_step(step)), "loss()"); });
  }
  [[nodiscard]] std::vector<double> epoch_weights(std::int64_t epochs) const override {
    return in_python(file_, [&] {
      return petlab_module()
          .attr("_weights_of_epochs")(*adapter_, epochs)
          .cast<std::vector<double>>();
    });
  }

 private:
  std::string file_;
  Object adapter_;
};

}  // namespace

PythonMethod::PythonMethod(std::string file, const Object& type, const sdk::Options& options)
    : file_(std::move(file)), method_(in_python(file_, [&] {
        return keep(petlab_module().attr("_make")(*type, py::cast(options.values())));
      })) {}

std::string PythonMethod::text_template() const {
  return in_python(
      file_, [&] { return petlab_module().attr("_text_template")(*method_).cast<std::string>(); });
}

std::unique_ptr<sdk::Adapter> PythonMethod::make_adapter(const sdk::AdapterContext& context) const {
  // Whatever Python keeps of the context, it asks nothing of it when this call is over.
  struct Live {
    std::shared_ptr<const sdk::AdapterContext*> context;
    ~Live() { *context = nullptr; }
  } live{std::make_shared<const sdk::AdapterContext*>(&context)};
  Object adapter = in_python(file_, [&] {
    return keep(petlab_module().attr("_adapter")(*method_, from_context(live.context)));
  });
  return std::make_unique<PythonAdapter>(file_, std::move(adapter));
}

}  // namespace petlab::plugins::python
