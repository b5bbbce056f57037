#pragma once

#include <ATen/core/Tensor.h>

/// Where the values of a contiguous tensor lie, as elements T of its size; null for an undefined
/// one.
namespace petlab::kernels {

template <typename T>
const T* values(const at::Tensor& x) {
  return x.defined() ? static_cast<const T*>(x.const_data_ptr()) : nullptr;
}

template <typename T>
T* mutable_values(const at::Tensor& x) {
  return x.defined() ? static_cast<T*>(x.mutable_data_ptr()) : nullptr;
}

}  // namespace petlab::kernels
