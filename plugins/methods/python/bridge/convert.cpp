#include "convert.hpp"

#include <pybind11/stl.h>
#include <torch/csrc/autograd/python_variable.h>
#include <torch/csrc/utils/pybind.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace petlab::plugins::python {
namespace {

std::string type_of(const py::handle& object) {
  return py::type::of(object).attr("__name__").cast<std::string>();
}

/// The value of an enumeration by its name in Python.
template <typename Enum>
Enum to_enum(const py::handle& object, const char* what,
             std::initializer_list<std::pair<const char*, Enum>> names) {
  const auto text = object.attr(what).cast<std::string>();
  std::string known;
  for (const auto& [name, value] : names) {
    if (text == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  throw_plugin_error(std::string(what) + " is '" + text + "', expected one of " + known);
}

sdk::Nonlinearity to_nonlinearity(const py::handle& object) {
  return to_enum<sdk::Nonlinearity>(object, "nonlinearity",
                                    {{"none", sdk::Nonlinearity::none},
                                     {"relu", sdk::Nonlinearity::relu},
                                     {"gelu", sdk::Nonlinearity::gelu},
                                     {"quick_gelu", sdk::Nonlinearity::quick_gelu}});
}

at::Tensor tensor(const py::handle& object, const char* name) {
  return to_tensor(object.attr(name), name);
}

std::int64_t layer_of(const py::handle& object) {
  return object.attr("layer").cast<std::int64_t>();
}

sdk::Bottleneck to_bottleneck(const py::handle& b) {
  return {.layer = layer_of(b),
          .site = to_enum<sdk::BottleneckSite>(
              b, "site",
              {{"after_attention", sdk::BottleneckSite::after_attention},
               {"after_mlp", sdk::BottleneckSite::after_mlp},
               {"parallel_attention", sdk::BottleneckSite::parallel_attention},
               {"parallel_mlp", sdk::BottleneckSite::parallel_mlp}}),
          .down = tensor(b, "down"),
          .down_bias = tensor(b, "down_bias"),
          .up = tensor(b, "up"),
          .up_bias = tensor(b, "up_bias"),
          .nonlinearity = to_nonlinearity(b),
          .scale = tensor(b, "scale"),
          .norm_weight = tensor(b, "norm_weight"),
          .norm_bias = tensor(b, "norm_bias"),
          .out_norm_weight = tensor(b, "out_norm_weight"),
          .out_norm_bias = tensor(b, "out_norm_bias")};
}

sdk::LowRank to_low_rank(const py::handle& m, const sdk::ChangeRequest& request) {
  sdk::LowRank change{.layer = layer_of(m),
                      .map = to_enum<sdk::LinearMap>(m, "map",
                                                     {{"q", sdk::LinearMap::q},
                                                      {"k", sdk::LinearMap::k},
                                                      {"v", sdk::LinearMap::v},
                                                      {"out", sdk::LinearMap::out},
                                                      {"fc1", sdk::LinearMap::fc1},
                                                      {"fc2", sdk::LinearMap::fc2}}),
                      .down = tensor(m, "down"),
                      .up = tensor(m, "up"),
                      .scale = m.attr("scale").cast<double>()};
  const auto dropout = m.attr("dropout").cast<double>();
  if (request.training && dropout != 0) {
    change.dropout = dropout;
    change.noise = request.noise;
  }
  return change;
}

sdk::Affine to_affine(const py::handle& a) {
  using Place = sdk::AffinePlace;
  return {.layer = layer_of(a),
          .place = to_enum<Place>(a, "place",
                                  {{"norm1", Place::norm1},
                                   {"q", Place::q},
                                   {"k", Place::k},
                                   {"v", Place::v},
                                   {"attention", Place::attention},
                                   {"norm2", Place::norm2},
                                   {"fc1", Place::fc1},
                                   {"hidden", Place::hidden},
                                   {"mlp", Place::mlp},
                                   {"embeddings", Place::embeddings},
                                   {"pre_norm", Place::pre_norm},
                                   {"final_norm", Place::final_norm}}),
          .scale = tensor(a, "scale"),
          .shift = tensor(a, "shift")};
}

sdk::TowerChanges to_tower(const py::handle& tower, const sdk::ChangeRequest& request) {
  sdk::TowerChanges changes;
  for (const py::handle prompt : tower.attr("prompts"))
    changes.prompts.push_back({.layer = layer_of(prompt), .tokens = tensor(prompt, "tokens")});
  changes.prompt_composition = to_enum<sdk::PromptComposition>(
      tower, "prompt_composition",
      {{"concatenate", sdk::PromptComposition::concatenate}, {"add", sdk::PromptComposition::add}});
  changes.class_position = to_enum<sdk::ClassPosition>(tower, "class_position",
                                                       {{"end", sdk::ClassPosition::end},
                                                        {"middle", sdk::ClassPosition::middle},
                                                        {"front", sdk::ClassPosition::front}});
  if (const py::object condition = tower.attr("condition"); !condition.is_none())
    changes.condition = sdk::PromptCondition{.down = tensor(condition, "down"),
                                             .down_bias = tensor(condition, "down_bias"),
                                             .up = tensor(condition, "up"),
                                             .up_bias = tensor(condition, "up_bias")};
  for (const py::handle module : tower.attr("bottlenecks"))
    changes.bottlenecks.push_back(to_bottleneck(module));
  for (const py::handle module : tower.attr("low_ranks"))
    changes.low_ranks.push_back(to_low_rank(module, request));
  for (const py::handle module : tower.attr("affines"))
    changes.affines.push_back(to_affine(module));
  for (const py::handle f : tower.attr("feature_adapters"))
    changes.feature_adapters.push_back({.down = tensor(f, "down"),
                                        .down_bias = tensor(f, "down_bias"),
                                        .up = tensor(f, "up"),
                                        .up_bias = tensor(f, "up_bias"),
                                        .nonlinearity = to_nonlinearity(f),
                                        .activate_output = f.attr("activate_output").cast<bool>(),
                                        .ratio = f.attr("ratio").cast<double>()});
  return changes;
}

/// A petlab.Namespace of these values.
py::object namespace_of(const py::dict& values) {
  return petlab_module().attr("Namespace")(**values);
}

py::object from_tensor(const at::Tensor& tensor) {
  return tensor.defined() ? py::cast(tensor) : py::object(py::none());
}

py::object from_generator(const at::Generator* generator) {
  return generator != nullptr ? py::cast(*generator) : py::object(py::none());
}

py::object from_tower(const sdk::TowerShape& tower) {
  return namespace_of(py::dict(py::arg("layers") = tower.layers, py::arg("width") = tower.width,
                               py::arg("heads") = tower.heads,
                               py::arg("mlp_width") = tower.mlp_width));
}

py::object from_shape(const sdk::BackboneShape& shape) {
  return namespace_of(py::dict(
      py::arg("vision") = from_tower(shape.vision), py::arg("text") = from_tower(shape.text),
      py::arg("embed_dim") = shape.embed_dim, py::arg("image_size") = shape.image_size,
      py::arg("patch_size") = shape.patch_size, py::arg("context_length") = shape.context_length));
}

}  // namespace

at::Tensor to_tensor(const py::handle& object, const char* what) {
  if (object.is_none()) return {};
  if (!THPVariable_Check(object.ptr()))
    throw_plugin_error(std::string(what) + " is a " + type_of(object) +
                       ", expected a torch.Tensor");
  return object.cast<at::Tensor>();
}

std::vector<sdk::NamedTensor> to_named_tensors(const py::handle& dict, const char* what) {
  if (!py::isinstance<py::dict>(dict))
    throw_plugin_error(std::string(what) + " is a " + type_of(dict) +
                       ", expected a dict of tensors by name");
  std::vector<sdk::NamedTensor> result;
  for (const auto& [name, value] : py::reinterpret_borrow<py::dict>(dict)) {
    const auto text = name.cast<std::string>();
    result.push_back({text, to_tensor(value, text.c_str())});
  }
  return result;
}

sdk::BackboneChanges to_changes(const py::handle& given, const sdk::ChangeRequest& request) {
  if (!py::isinstance(given, petlab_module().attr("Changes")))
    throw_plugin_error("changes() returned a " + type_of(given) + ", expected a petlab.Changes");
  sdk::BackboneChanges changes;
  changes.vision = to_tower(given.attr("vision"), request);
  changes.text = to_tower(given.attr("text"), request);
  changes.weights = to_named_tensors(given.attr("weights"), "weights");
  if (const py::object head = given.attr("head"); !head.is_none())
    changes.head = sdk::ClassHead{.weight = tensor(head, "weight"),
                                  .bias = tensor(head, "bias"),
                                  .scale = head.attr("scale").cast<double>(),
                                  .unit_features = head.attr("unit_features").cast<bool>()};
  for (const py::handle cache : given.attr("caches"))
    changes.caches.push_back({.keys = tensor(cache, "keys"),
                              .values = tensor(cache, "values"),
                              .alpha = cache.attr("alpha").cast<double>(),
                              .beta = cache.attr("beta").cast<double>()});
  changes.penalty = tensor(given, "penalty");
  return changes;
}

py::object from_request(const sdk::ChangeRequest& request) {
  return namespace_of(
      py::dict(py::arg("task") = request.task, py::arg("training") = request.training,
               py::arg("noise") = from_generator(request.noise), py::arg("step") = request.step));
}

py::object from_step(const sdk::StepTensors& step) {
  return namespace_of(py::dict(
      py::arg("task") = step.task, py::arg("image_features") = from_tensor(step.image_features),
      py::arg("text_features") = from_tensor(step.text_features),
      py::arg("frozen_image_features") = from_tensor(step.frozen_image_features),
      py::arg("frozen_text_features") = from_tensor(step.frozen_text_features),
      py::arg("logits") = from_tensor(step.logits), py::arg("labels") = from_tensor(step.labels),
      py::arg("logit_scale") = from_tensor(step.logit_scale),
      py::arg("noise") = from_generator(step.noise)));
}

py::object from_context(const std::shared_ptr<const sdk::AdapterContext*>& live) {
  const auto context = [live]() -> const sdk::AdapterContext& {
    if (*live == nullptr)
      throw std::runtime_error("the context of make_adapter() is asked when the call is over");
    return **live;
  };
  py::list tasks;
  for (const sdk::TaskView& task : context().tasks())
    tasks.append(
        namespace_of(py::dict(py::arg("name") = task.name, py::arg("classes") = task.classes)));
  const auto weights = [context] {
    py::dict result;
    for (const auto& [name, value] : context().backbone().weights())
      result[py::str(name)] = py::cast(value);
    return result;
  };
  const auto text_features = [context](const std::vector<std::string>& texts) {
    return context().backbone().text_features(texts);
  };
  const auto token_embeddings = [context](const std::string& text) {
    return context().backbone().token_embeddings(text);
  };
  const auto training_features = [context](std::int64_t task) {
    const sdk::LabelledFeatures features = context().training_features(task);
    return std::pair(features.features, features.labels);
  };
  const std::vector<sdk::NamedTensor> all = context().backbone().weights();
  if (all.empty()) throw_plugin_error("the backbone lists no weights");
  return namespace_of(py::dict(py::arg("shape") = from_shape(context().backbone().shape()),
                               py::arg("device") = py::cast(all.front().value.device()),
                               py::arg("generator") = from_generator(&context().generator()),
                               py::arg("place") = context().place(), py::arg("tasks") = tasks,
                               py::arg("weights") = py::cpp_function(weights),
                               py::arg("text_features") = py::cpp_function(text_features),
                               py::arg("token_embeddings") = py::cpp_function(token_embeddings),
                               py::arg("training_features") = py::cpp_function(training_features)));
}

}  // namespace petlab::plugins::python
