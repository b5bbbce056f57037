#include "run/changes_json.hpp"

#include "petlab/base/error.hpp"
#include "run/change_fields.hpp"

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

namespace petlab::engine {
namespace {

using nlohmann::json;

template <typename T>
constexpr bool kIsList = false;
template <typename T>
constexpr bool kIsList<std::vector<T>> = true;

template <typename T>
constexpr bool kIsOptional = false;
template <typename T>
constexpr bool kIsOptional<std::optional<T>> = true;

/// Has tensors of its own: all structs of changes but those that hold others.
template <typename T>
concept Part = requires(const T& part) {
  sdk::visit_tensors(part, [](const at::Tensor&, const sdk::TensorSpec&) {});
} && !std::same_as<T, sdk::BackboneChanges>;

class Writer {
 public:
  explicit Writer(const KeepTensor& keep) : keep_(keep) {}

  template <typename T>
  json operator()(const T& value, const std::string& name) const {
    if constexpr (Named<T>) {
      return to_string(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
      return value;
    } else if constexpr (kIsList<T>) {
      json list = json::array();
      for (const auto& one : value)
        list.push_back((*this)(one, name + "." + std::to_string(list.size())));
      return list;
    } else if constexpr (kIsOptional<T>) {
      return value ? (*this)(*value, name) : json(nullptr);
    } else if constexpr (std::is_same_v<T, sdk::NamedTensor>) {
      return {{"name", value.name}, {"value", keep_(value.value, name)}};
    } else {
      const std::string prefix = name.empty() ? "" : name + ".";
      json fields = json::object();
      visit_fields(value, [&](const char* field, const auto& member) {
        fields[field] = (*this)(member, prefix + field);
      });
      if constexpr (Part<T>)
        sdk::visit_tensors(value, [&](const at::Tensor& tensor, const sdk::TensorSpec& spec) {
          if (tensor.defined()) fields[spec.name] = keep_(tensor, prefix + spec.name);
        });
      return fields;
    }
  }

 private:
  const KeepTensor& keep_;
};

class Reader {
 public:
  explicit Reader(const FindTensor& find) : find_(find) {}

  template <typename T>
  void operator()(const json& from, T& value) const {
    if constexpr (Named<T>) {
      const auto text = from.get<std::string>();
      const std::optional<T> known = parse_value<T>(text);
      if (!known)
        throw base::Error(base::ErrorKind::data, "it has '" + text + "' where one of " +
                                                     value_names<T>().front() + ", ... " +
                                                     value_names<T>().back() + " is expected");
      value = *known;
    } else if constexpr (std::is_arithmetic_v<T>) {
      from.get_to(value);
    } else if constexpr (kIsList<T>) {
      for (const json& one : from.get_ref<const json::array_t&>())
        (*this)(one, value.emplace_back());
    } else if constexpr (kIsOptional<T>) {
      if (!from.is_null()) (*this)(from, value.emplace());
    } else if constexpr (std::is_same_v<T, sdk::NamedTensor>) {
      from.at("name").get_to(value.name);
      value.value = find_(from.at("value"));
    } else {
      visit_fields(value,
                   [&](const char* field, auto& member) { (*this)(from.at(field), member); });
      if constexpr (Part<T>)
        sdk::visit_tensors(value, [&](at::Tensor& tensor, const sdk::TensorSpec& spec) {
          if (const auto there = from.find(spec.name); there != from.end()) tensor = find_(*there);
        });
    }
  }

 private:
  const FindTensor& find_;
};

}  // namespace

json changes_to_json(const sdk::BackboneChanges& changes, const KeepTensor& keep) {
  return Writer(keep)(changes, "");
}

sdk::BackboneChanges changes_from_json(const json& from, const FindTensor& find) {
  sdk::BackboneChanges changes;
  Reader{find}(from, changes);
  return changes;
}

}  // namespace petlab::engine
